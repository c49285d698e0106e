"""The lock files pin everything by hash and name no index, and hold what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", lock.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_names_no_address(lock):
    assert "://" not in lock.read_text()
    assert not re.search(r"^\s*--?(index|extra-index|find-links)", lock.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_carries_a_hash(lock):
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text().strip())
    assert len(entries) == len(pinned(lock))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_for_running_holds_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=\[; ]", dependency)[0] for dependency in project["dependencies"]}
    assert names <= set(pinned(ROOT / "requirements" / "run.txt"))


def test_both_locks_agree():
    run, dev = pinned(ROOT / "requirements" / "run.txt"), pinned(ROOT / "requirements" / "dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_setting_up_installs_nothing_that_is_not_pinned():
    """Our own package apart, which is built here by a pinned setuptools: pip's isolated build would fetch the newest."""
    installs = re.findall(r"\$\(PIP\) install (.*?)(?: \|\||$)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert len(installs) == 4
    for arguments in installs:
        assert arguments.startswith("--require-hashes ") or arguments == "--no-deps --no-build-isolation --editable ."


def test_npm_locks_carry_no_resolved_addresses():
    for lock in ROOT.glob("tests/**/package-lock.json"):
        if "node_modules" not in lock.parts:
            assert '"resolved"' not in lock.read_text(), lock
