"""docs/localnet.md lists what there is, and what there is not."""

import re
from pathlib import Path

from localnet.rpc.dispatch import METHODS
from localnet.rpc.methods.query import VIEWS
from localnet.vm import NOT_OFFERED

TEXT = (Path(__file__).parents[4] / "docs" / "localnet.md").read_text()


def section(title):
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named(text):
    return set(re.findall(r"`(\w+)`", text))


def test_every_method_is_in_the_table():
    rows = [line for line in section("JSON-RPC").splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in named(row.split("|")[1])} == METHODS.keys()
    assert named(next(row for row in rows if row.startswith("| `query`")).split("|")[2]) == VIEWS.keys()


def test_every_host_function_that_is_not_offered_is_listed():
    listed = section("What differs from a node").split("These host functions link")[1]
    assert named(listed) == set(NOT_OFFERED)
