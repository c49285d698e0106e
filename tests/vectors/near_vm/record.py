"""
Records what nearcore's VM answers to each suite, in `*.expected.jsonl` beside this file, and `random.calls.json`, whose shortages of gas
follow from its answers.

    python tests/vectors/near_vm/record.py REALVM

REALVM is the program built from `tests/realvm`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "realvm")]

import replay  # noqa: E402
import suites  # noqa: E402

ACCOUNT = "vectors.near"


def ask(realvm: Path, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """realvm's answers."""
    done = subprocess.run([realvm, "--account", ACCOUNT], input=json.dumps(calls), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    realvm = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        chosen = suites.random_suite(suites.RANDOM_SEEDS, "random", lambda calls: ask(realvm, calls), Path(directory)).calls
    (HERE / "random.calls.json").write_text("[\n" + ",\n".join(json.dumps(call) for call in chosen) + "\n]\n")
    for suite in suites.all_suites():
        with tempfile.TemporaryDirectory() as directory:
            answers = ask(realvm, suite.write(Path(directory)))
        lines = [json.dumps({"method": answer["method"], **replay.normalised(answer)}) for answer in answers]
        suite.expected_file.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
