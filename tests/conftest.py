"""In CI nothing may be skipped: a tool that is missing there is a hole in the evidence, not a matter of taste."""

import os

import pytest

_skipped: list[str] = []


def pytest_runtest_logreport(report):
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session, exitstatus):
    if os.environ.get("CI") == "true" and _skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if os.environ.get("CI") == "true" and _skipped:
        terminalreporter.write_sep("=", "skipped, which CI counts as a failure", red=True)
        for nodeid in _skipped:
            terminalreporter.write_line(nodeid)
