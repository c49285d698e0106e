"""`oracle exec`, as a guest's author uses it."""

import errno
import json
import os

import pytest
from click.testing import CliRunner

from oracle.cli.exec import command
from oracle.guest import GuestPool, shipped_guest

BASE_FEE = 10**21


@pytest.fixture
def execute(home, monkeypatch):
    monkeypatch.setenv("ORACLE_HOME", str(home))
    return lambda *arguments, stdin=None: CliRunner().invoke(command, arguments, input=stdin, standalone_mode=False)


def usage_error(execute, *arguments):
    result = execute(*arguments)
    assert result.exception is not None
    assert getattr(result.exception, "exit_code", None) == 2
    return str(result.exception)


def test_the_output_alone_goes_to_stdout(execute):
    result = execute("echo", "--input", "hello")
    assert (result.return_value, result.stdout) == (0, "hello")
    assert "198 instructions" in result.stderr


def test_json_has_output_figures_and_price(execute):
    result = execute("sha256", "--input", "abc", "--json")
    shown = json.loads(result.stdout)
    assert shown["output"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (shown["exit_code"], shown["error"]) == (0, None)
    assert shown["instructions"] > 0
    assert shown["peak_memory_bytes"] > 0
    # base fee + per started million of instructions (here none) + 10^17 a millisecond: the fees of a new contract.
    assert int(shown["price_yocto"]) == BASE_FEE + shown["time_ms"] * 10**17


def test_a_failure_is_told_in_the_same_shape_and_costs_the_base_fee(execute):
    result = execute("exit_three", "--json")
    shown = json.loads(result.stdout)
    assert result.return_value == 1
    assert (shown["output"], shown["exit_code"]) == (None, 3)
    assert shown["error"] == "The guest ended with exit code 3: the price feed is empty"
    assert int(shown["price_yocto"]) == BASE_FEE


def test_a_failure_shows_the_guests_own_words(execute):
    result = execute("exit_three")
    assert (result.return_value, result.stdout) == (1, "")
    assert "looked everywhere\nthe price feed is empty\nError: The guest ended" in result.stderr


def test_a_trap_has_no_exit_code(execute):
    assert json.loads(execute("unreachable", "--json").stdout)["exit_code"] is None


def test_limits_are_those_given(execute):
    assert "its limit is 1000 (resource_limits.max_instructions)" in execute("endless_loop", "--max-instructions", "1000").stderr
    assert "of at most 3 MB" in execute("memory_bomb", "--max-memory-mb", "3").stderr
    assert "its limit is 1 s" in execute("sleep_forever", "--max-seconds", "1").stderr


def test_input_comes_from_a_file_or_from_stdin(execute, tmp_path):
    (tmp_path / "input").write_bytes(b"from a file")
    assert execute("echo", "--input", f"@{tmp_path / 'input'}").stdout == "from a file"
    assert execute("echo", "--input", "-", stdin="from stdin").stdout == "from stdin"


def test_a_module_may_be_a_path(execute):
    assert execute(str(shipped_guest("echo")), "--input", "path").stdout == "path"


def test_a_seed_repeats_a_random_run(execute):
    assert execute("random", "--seed", "7").stdout == execute("random", "--seed", "7").stdout != execute("random", "--seed", "8").stdout


def test_a_seed_may_be_any_bytes_a_shell_can_give(execute):
    assert execute("random", "--seed", "\udcff").return_value == 0


def test_trouble_of_the_machine_goes_to_stderr_without_the_guests_variables(execute, monkeypatch):
    async def no_room(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(GuestPool, "_execute", no_room)
    result = execute("echo", "--env", "API_KEY=correct horse battery", "--json")
    assert result.return_value == 1
    assert "Too many open files" in json.loads(result.stdout)["error"]
    assert "guest_not_run" in result.stderr
    assert "correct horse" not in result.output


def test_formats_are_shown_as_a_caller_receives_them(execute):
    assert json.loads(execute("echo", "--input", '{"a":1}', "--format", "Json", "--json").stdout)["output"] == {"a": 1}
    assert json.loads(execute("bad_utf8", "--format", "Bytes", "--json").stdout)["output"] == "b2sg//4="
    assert "is not JSON" in execute("echo", "--input", "{", "--format", "Json").stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("/",), "/ is a directory; name the wasm file in it"),
        (("no_such_guest",), "those are: bad_utf8, divide_by_zero, echo"),
        (("echo", "--input", "@/no/such/file"), "cannot be read"),
        (("echo", "--env", "novalue"), "NAME=VALUE"),
        (("echo", "--max-seconds", "0"), "0 is not in the range"),
    ],
)
def test_wrong_usage_names_the_mend(execute, arguments, told):
    assert told in usage_error(execute, *arguments)


@pytest.mark.parametrize("output", [r'"\ud800"', r'{"\ud800":1}', "1e400", "9" * 5000])
def test_json_that_a_contract_cannot_read_is_a_failure_as_it_is_on_chain(execute, output):
    result = execute("echo", "--format", "json", "--input", output, "--json")
    assert (result.return_value, json.loads(result.stdout)["output"]) == (1, None)
    assert "contracts cannot read" in json.loads(result.stdout)["error"]


def test_a_state_directory_that_exec_makes_is_its_owners_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("ORACLE_HOME", str(tmp_path / "new" / "home"))
    assert CliRunner().invoke(command, ["echo"], standalone_mode=False).return_value == 0
    assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700
