"""The `localnet` command without a chain: help, and refusals that name the mend."""

import json

import pytest
from click.testing import CliRunner

from localnet import KeyPair
from localnet.cli.group import COMMANDS, main


@pytest.fixture
def run():
    def call(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def home(tmp_path):
    """A directory with a root key, as `localnet run --home` makes it."""
    key = KeyPair.from_seed("root")
    content = {"account_id": "test.near", "public_key": str(key.public_key), "secret_key": key.secret_key}
    (tmp_path / "validator_key.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize("command", [[name] for name in COMMANDS if name != "account"] + [["account", "create"]])
def test_every_command_explains_itself_with_an_example(run, command):
    shown = run(*command, "--help")
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"localnet {' '.join(command)}" in shown.output.split("Example")[1]
    assert "--json" in shown.output


def test_the_group_lists_every_command_without_loading_any(run):
    shown = run("--help")
    assert all(f"  {name} " in shown.output for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["run", "--block-time", "soon"], "'soon' is neither `instant` nor a period like 600ms or 1s"),
        (["run", "--block-time", "0s"], "a block takes from 1ms to 3600s"),
        (["run", "--block-time", "2h"], "neither `instant` nor a period"),
        (["run", "--port", "65536"], "65536 is not in the range"),
        (["fast-forward", "--blocks", "0"], "0 is not in the range"),
        (["account", "create", "alice", "--balance", "-1", "--home", "."], "is no amount of NEAR"),
        (["account", "create", "alice", "--balance", "1e-25", "--home", "."], "is no amount of NEAR"),
        (["account", "create", "alice", "--balance", "nan", "--home", "."], "is no amount of NEAR"),
        (["account", "create", "alice"], "either --home, the chain's directory, or --key-file"),
        (["account", "create", "alice", "--home", ".", "--key-file", "k"], "either --home, the chain's directory, or --key-file"),
        (["fast-forward", "--blocks", "1", "--rpc-url", "file:///etc/passwd"], "an http:// address is wanted"),
        (["fast-forward", "--blocks", "1", "--rpc-url", "http://127.0.0.1:9"], "start one with `localnet run`, or name it with --rpc-url"),
    ],
)
def test_a_refusal_says_what_would_be_right_and_exits_with_2(run, arguments, reason):
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert reason in refused.output.replace("\n", " ")


def test_ctrl_c_while_a_chain_starts_ends_as_shells_expect_it_and_says_nothing(run, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("localnet.cli.run.Chain", interrupted)
    ended = run("run", "--port", "0")
    assert (ended.exit_code, ended.output) == (130, "")


def test_an_account_id_that_is_none_is_refused_before_anything_is_written(run, home):
    refused = run("account", "create", "Alice", "--home", home)
    assert (refused.exit_code, [path.name for path in home.iterdir()]) == (2, ["validator_key.json"])
    assert "'Alice.test.near' is no account id" in refused.output


def test_an_account_that_could_not_be_made_leaves_no_key_behind(run, home):
    refused = run("account", "create", "alice", "--home", home, "--rpc-url", "http://127.0.0.1:9")
    assert (refused.exit_code, [path.name for path in home.iterdir()]) == (2, ["validator_key.json"])


def test_a_key_file_is_never_overwritten(run, home):
    (home / "alice.test.near.json").write_text("mine")
    refused = run("account", "create", "alice", "--home", home)
    assert refused.exit_code == 2
    assert "alice.test.near.json cannot be written (File exists)" in refused.output
    assert (home / "alice.test.near.json").read_text() == "mine"


def test_the_root_key_is_shown_without_its_secret_unless_asked(run, home):
    secret = KeyPair.from_seed("root").secret_key
    facts = json.loads(run("key", "--home", home, "--json").output)
    assert facts == {
        "account_id": "test.near",
        "public_key": str(KeyPair.from_seed("root").public_key),
        "key_file": str(home / "validator_key.json"),
    }
    assert secret not in run("key", "--home", home).output
    assert secret in run("key", "--home", home, "--secret").output


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"account_id":"test.near","secret_key":"ed25519:confidential"}', '{"account_id":7}'])
def test_a_broken_key_file_is_refused_without_showing_what_is_in_it(run, tmp_path, content):
    (tmp_path / "validator_key.json").write_text(content)
    refused = run("key", "--home", tmp_path)
    assert refused.exit_code == 2
    assert "is no key file" in refused.output
    assert "confidential" not in refused.output


def test_a_directory_without_a_key_is_not_reset(run, tmp_path):
    (tmp_path / "chain.sqlite").write_text("not ours")
    refused = run("reset", "--home", tmp_path)
    assert (refused.exit_code, (tmp_path / "chain.sqlite").exists()) == (2, True)
    assert "is no chain's directory: it has no validator_key.json" in refused.output
