"""Known answers: what nearcore's own VM said to each call, in gas, text, receipts and storage."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from localnet.vm import OFFERED, Vm


@pytest.mark.parametrize("name", ["ops", "host", "modules", "random"])
def test_every_recorded_call_ends_as_in_nearcore(name: str, vm: Vm, tmp_path: Path) -> None:
    replay, suites = sys.modules["replay"], sys.modules["suites"]
    suite = next(each for each in suites.all_suites() if each.name == name)
    expected: list[dict[str, Any]] = [json.loads(line) for line in suite.expected_file.read_text().splitlines()]

    found = replay.replay(vm, suite.write(tmp_path), "vectors.near")

    assert replay.differences(expected, found) == []


def test_the_recorded_calls_reach_every_offered_host_function() -> None:
    host_cases = sys.modules["host_cases"]

    assert set(OFFERED) - set(host_cases.IMPORTS) == set()
