import asyncio
import sys
from pathlib import Path

import pytest

from oracle.build.process import MAX_OUTPUT_BYTES, Bounds, run_program

HERE = Path("/")
BOUNDS = Bounds(timeout_s=20, max_file_bytes=1 << 20)


async def python(script: str, bounds: Bounds = BOUNDS, cwd: Path = HERE):
    return await run_program([sys.executable, "-I", "-c", script], cwd=cwd, environment={"LC_ALL": "C"}, bounds=bounds)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_output_and_exit_code_are_told():
    finished = await python("import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)")
    assert (finished.exit_code, finished.output, finished.succeeded) == (3, "out\nerr\n", False)


async def test_the_environment_is_what_was_given_and_nothing_more(monkeypatch):
    monkeypatch.setenv("OPERATOR_PRIVATE_KEY", "ed25519:secret")
    finished = await python("import os; print(sorted(os.environ))")
    assert "OPERATOR" not in finished.output


async def test_of_a_flood_the_end_is_kept():
    finished = await python("print('x' * 10_000_000); print('the end')")
    assert len(finished.output) == MAX_OUTPUT_BYTES
    assert finished.output.endswith("the end\n")


async def test_a_program_that_does_not_end_is_killed_with_its_children(tmp_path):
    script = f"""
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "1000"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
time.sleep(1000)
"""
    finished = await python(script, Bounds(timeout_s=1.0, max_file_bytes=1 << 20))
    assert finished.timed_out
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_a_cancelled_caller_leaves_no_process(tmp_path):
    pid_file = tmp_path / "pid"
    script = f"""
import os, pathlib, time
pathlib.Path({str(tmp_path / "new")!r}).write_text(str(os.getpid()))
os.rename({str(tmp_path / "new")!r}, {str(pid_file)!r})
time.sleep(1000)
"""
    task = asyncio.create_task(python(script))
    async with asyncio.timeout(10):
        while not pid_file.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(int(pid_file.read_text()))


async def test_files_are_bounded(tmp_path):
    finished = await python(f"open({str(tmp_path / 'big')!r}, 'wb').write(bytes(4 << 20))")
    assert not finished.succeeded
    assert (tmp_path / "big").stat().st_size <= 1 << 20
