"""What a newcomer waits for: from a fresh clone to the end of each of the README's two commands."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row

ROOT = Path(__file__).parents[1]
DEMO_GOAL_S, TEST_GOAL_S = 60.0, 300.0
_SHOWN_CHARS = 2_000


def run(*, quick: bool) -> list[Row]:
    """`quick` leaves `make test` out, which takes minutes."""
    with tempfile.TemporaryDirectory() as directory:
        clone = Path(directory) / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        rows = [_timed(clone, "demo", DEMO_GOAL_S, "fresh clone, package cache as it is here, set-up included")]
        if not quick:
            rows.append(_timed(clone, "test", TEST_GOAL_S, f"the same clone, set-up included, {os.cpu_count()} cores"))
        return rows


def _timed(clone: Path, target: str, goal_s: float, how: str) -> Row:
    began = time.monotonic()
    done = subprocess.run(["make", target], cwd=clone, env=_environment(), capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"make {target} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-_SHOWN_CHARS:]}")
    return Row(f"`make {target}`", seconds, "s", how, f"<= {goal_s:.0f} s", seconds <= goal_s)


def _environment() -> dict[str, str]:
    """As in a shell of its own: no environment of this one's, and what is missing on the machine may be skipped."""
    return {name: value for name, value in os.environ.items() if name not in {"CI", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV"}}
