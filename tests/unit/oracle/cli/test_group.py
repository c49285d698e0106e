import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from oracle.cli import group as cli
from oracle.errors import ConfigurationError, RpcUnavailable, StoreError

WAY_ON = "oracle doctor looks for what is missing and names the mend.\n"
PRESENT = [name for name in cli.COMMANDS if importlib.util.find_spec(f"oracle.cli.{name}")]


def run(*arguments: str, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "oracle", *arguments], check=False, capture_output=True, text=True, timeout=30, **more)


@pytest.mark.parametrize("name", PRESENT)
def test_every_command_has_help_with_an_example(name, capsys):
    assert cli.run_command([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: oracle {name}" in text
    assert "Example" in text
    assert f"oracle {name}" in text.partition("Example")[2]
    assert "--json" in text


@pytest.mark.parametrize("name", PRESENT)
def test_every_command_bears_the_name_it_is_listed_under(name):
    assert importlib.import_module(f"oracle.cli.{name}").command.name == name


def test_help_loads_no_command_and_none_of_the_large_libraries():
    script = "import sys; from oracle.cli.group import run_command; run_command(['--help']); print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True).stdout
    for heavy in ("aiohttp", "sqlalchemy", "wasmtime", "pydantic", "structlog", "oracle.cli.run"):
        assert f"'{heavy}'" not in modules


def test_help_is_there_at_once():
    best_s = min(_timed(lambda: run("--help")) for _ in range(3))
    assert best_s < 1.0  # 0.15 s on an idle machine; a busy one gets room


def _timed(work) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def test_version_is_told():
    assert run("--version").stdout.startswith("near-compute-oracle ")


def test_wrong_usage_is_exit_code_2_with_the_way_to_help():
    for arguments in (("nonsense",), ("cost", "--nonsense"), ("cost", "--max-seconds", "x")):
        finished = run(*arguments)
        assert finished.returncode == 2
        assert finished.stdout == ""
        assert "Error: " in finished.stderr
        assert "Traceback" not in finished.stderr


def test_a_reader_that_goes_away_is_no_traceback():
    process = subprocess.Popen(
        [sys.executable, "-m", "oracle", "cost", "--offline"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    process.wait(30)
    assert told == ""


@pytest.mark.parametrize("arguments", [("cost", "--offline"), ("cost", "--offline", "--json")])
def test_an_output_that_finds_no_room_is_a_sentence_and_no_defect(arguments, tmp_path):
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "oracle", *arguments],
            check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, env={**os.environ, "ORACLE_HOME": str(tmp_path)},
        )  # fmt: skip
    assert finished.returncode == 1
    assert finished.stderr.endswith("make some where the output goes, or where ORACLE_HOME lies\n")
    assert finished.stderr.startswith("Error: there is no room left to write ([Errno 28] No space left on device)")


@pytest.fixture
def failing(monkeypatch):
    """A command that raises what the test wants."""

    def install(error: BaseException) -> None:
        @click.command("cost")
        def command() -> None:
            raise error

        monkeypatch.setattr("oracle.cli.cost.command", command)

    return install


def test_a_failure_is_a_sentence_and_exit_code_1(failing, capsys):
    failing(RpcUnavailable("no node answers"))
    assert cli.run_command(["cost"]) == 1
    assert capsys.readouterr().err == f"Error: no node answers\n{WAY_ON}"


def test_trouble_with_the_store_names_the_way_to_the_mend_too(failing, capsys):
    failing(StoreError("/here/jobs.sqlite: Permission denied"))
    assert cli.run_command(["cost"]) == 1
    assert capsys.readouterr().err == f"Error: /here/jobs.sqlite: Permission denied\n{WAY_ON}"


def test_wrong_settings_are_a_line_each_and_exit_code_2(failing, capsys):
    failing(ConfigurationError(("A is wrong", "B is wrong")))
    assert cli.run_command(["cost"]) == 2
    assert capsys.readouterr().err == "Error: A is wrong\nError: B is wrong\n"


def test_failures_out_of_a_group_of_tasks_are_sentences_too(failing, capsys):
    failing(ExceptionGroup("tasks", [RpcUnavailable("one"), ExceptionGroup("inner", [RpcUnavailable("two")])]))
    assert cli.run_command(["cost"]) == 1
    assert capsys.readouterr().err == f"Error: one\nError: two\n{WAY_ON}"


def test_ctrl_c_is_exit_code_130_without_a_traceback(failing, capsys):
    failing(KeyboardInterrupt())
    assert cli.run_command(["cost"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_shows_its_traceback_without_secrets(failing, capsys, monkeypatch):
    monkeypatch.setattr("oracle.logging._secrets", {"hunter2hunter2"})
    failing(RuntimeError("at https://x/hunter2hunter2"))
    assert cli.run_command(["cost"]) == 1
    told = capsys.readouterr().err
    assert "please report" in told
    assert "RuntimeError" in told
    assert "hunter2" not in told


def test_a_commands_own_exit_code_is_the_process_exit_code(monkeypatch):
    @click.command("cost")
    def command() -> int:
        return 1

    monkeypatch.setattr("oracle.cli.cost.command", command)
    with pytest.raises(SystemExit) as ended:
        cli.main(["cost"])
    assert ended.value.code == 1


def test_the_module_runs_as_the_command_does():
    assert run("--help").stdout.startswith("Usage: oracle ")


def test_a_crash_writes_no_memory_with_keys_to_the_disk():
    script = (
        "import resource; from oracle.cli import group\n"
        "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]; resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
        "group.run_command = lambda _: print(resource.getrlimit(resource.RLIMIT_CORE))\n"
        "group.main([])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True).stdout
    assert told == "(0, 0)\n"
