"""What the papers name is there: files behind links, commands and their options."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from localnet.cli.group import main as localnet_main
from oracle.cli.group import group as oracle_group

ROOT = Path(__file__).parents[3]
PAPERS = sorted(
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
)
GROUPS: dict[str, click.Group] = {"oracle": oracle_group, "localnet": localnet_main}
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands_in(text: str) -> list[list[str]]:
    """Lines of code blocks that call one of ours, and the same between backticks in running text."""
    lines = [line.removeprefix("$ ").strip() for block in _FENCE.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    return [shlex.split(line, comments=True) for line in lines if line.split(" ")[0] in GROUPS and " " in line]


def missing_in(words: list[str]) -> list[str]:
    """What of a command line does not exist: the command, or an option."""
    command: click.Command = GROUPS[words[0]]
    rest = words[1:]
    context = click.Context(command)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return [rest[0]]
        command, rest = found, rest[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]


@pytest.mark.parametrize("path", PAPERS, ids=name_of)
def test_every_link_leads_to_a_file(path):
    assert [link for link in _LINK.findall(path.read_text()) if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAPERS, ids=name_of)
def test_every_command_that_is_named_exists_with_its_options(path):
    assert [(words, missing) for words in commands_in(path.read_text()) if (missing := missing_in(words))] == []


def test_commands_are_found_in_the_papers():
    found = [words for path in PAPERS for words in commands_in(path.read_text())]
    assert ["oracle", "exec", "hello.wasm", "--input", "world"] in found
    assert len(found) > 20


def test_a_command_or_option_that_is_not_there_is_noticed():
    assert missing_in(["oracle", "conjure", "x"]) == ["conjure"]
    assert missing_in(["oracle", "exec", "x", "--gas", "1"]) == ["--gas"]
    assert missing_in(["localnet", "account", "create", "a", "--home", "d"]) == []
