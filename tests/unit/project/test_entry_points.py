"""The programs that the package installs, in the moment before any command runs."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

SCRIPTS = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_ctrl_c_while_modules_load_is_no_traceback(name, tmp_path):
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")  # stands before the library that all of them load first
    module, function = SCRIPTS[name].split(":")
    finished = subprocess.run(
        [sys.executable, "-c", f"import {module}; {module}.{function}()"],
        check=False, capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")
