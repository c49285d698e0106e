"""A node, an environment in which commands find it, and a way to run them."""

import logging

import pytest
import structlog

from oracle.cli.group import run_command
from oracle.settings import RequesterSettings, Settings
from tests.integration.oracle.cli.node import Node


@pytest.fixture
def node():
    with Node() as it:
        yield it


@pytest.fixture
def settings(monkeypatch, tmp_path, node):
    """A working directory and an environment in which every command finds the node."""
    for kind in (Settings, RequesterSettings):
        for name in kind.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("ORACLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEAR_NETWORK_ID", "localnet")
    monkeypatch.setenv("NEAR_RPC_URL", node.url)
    monkeypatch.setenv("OFFCHAINVM_CONTRACT_ID", "outlayer.test.near")
    return monkeypatch


@pytest.fixture
def clean_logging(monkeypatch):
    """What a command sets up for its process must not outlive the test."""
    monkeypatch.setattr("oracle.logging._secrets", set())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
def oracle(capsys, clean_logging):
    """Run a command: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = run_command(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run
