"""No entry point of the register contract without a test that runs it."""

import ast
import json
from pathlib import Path

from wasmtime import Engine, FuncType, Module

from tests.acceptance.contract.stage import artifact


def exercised():
    """What the tests of this directory say they exercise; the fixture `register` holds them to it."""
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "exercises":
                yield from (argument.value for argument in node.args)


def exported():
    exports = Module(Engine(), artifact("register.wasm")).exports
    return {export.name for export in exports if isinstance(export.type, FuncType)}


def test_every_entry_point_is_exercised_on_the_chain():
    assert exported() - set(exercised()) == set()


def test_the_abi_describes_every_entry_point_and_nothing_else():
    abi = json.loads(artifact("register_abi.json"))
    assert {function["name"] for function in abi["body"]["functions"]} == exported()
