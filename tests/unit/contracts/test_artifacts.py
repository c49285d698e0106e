"""The contracts that ship with the package are whole, agree with what is written about them, and tell nothing of where they were built."""

import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from tests.unit.contracts.wasm import CUSTOM, parse

ROOT = Path(__file__).parents[3]
ARTIFACTS = Path(str(resources.files("localnet"))) / "contracts"
NAMES = ("outlayer", "example_client", "registrar", "test_client", "register")


def module(name):
    return parse((ARTIFACTS / f"{name}.wasm").read_bytes())


def abi(name):
    return json.loads((ARTIFACTS / f"{name}_abi.json").read_text())


def test_each_artifact_has_the_checksum_written_beside_it():
    listed = dict(reversed(line.split("  ")) for line in (ARTIFACTS / "SHA256SUMS").read_text().splitlines())
    assert set(listed) == {file for name in NAMES for file in (f"{name}.wasm", f"{name}_abi.json")}
    found = {file: hashlib.sha256((ARTIFACTS / file).read_bytes()).hexdigest() for file in listed}
    assert found == listed


@pytest.mark.parametrize("name", NAMES)
def test_the_abi_lists_exactly_the_methods_that_the_wasm_exports(name):
    assert {function["name"] for function in abi(name)["body"]["functions"]} == module(name).exported_functions


@pytest.mark.parametrize("name", NAMES)
def test_the_abi_is_of_the_schema_that_near_tools_read(name):
    document = abi(name)
    assert document["schema_version"] == "0.4.0"
    assert document["metadata"]["name"] == name.replace("_", "-")
    assert {function["kind"] for function in document["body"]["functions"]} <= {"view", "call"}


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_imports_from_the_chain_only_and_carries_no_custom_section(name):
    contract = module(name)
    assert contract.imported_modules == {"env"}
    assert CUSTOM not in contract.section_ids


@pytest.mark.parametrize("name", NAMES)
def test_no_artifact_knows_where_it_was_built(name):
    for file in (f"{name}.wasm", f"{name}_abi.json"):
        data = (ARTIFACTS / file).read_bytes()
        assert re.findall(rb"/(?:home|root|tmp|Users|usr/src)/[\w./-]*|\.cargo|index\.crates", data) == [], file


def test_the_crates_come_from_the_public_registry_by_checksum():
    lock = (ROOT / "contracts" / "Cargo.lock").read_text()
    sources = set(re.findall(r'^source = "(.*)"$', lock, re.MULTILINE))
    assert sources == {"registry+https://github.com/rust-lang/crates.io-index"}
    assert len(re.findall(r"^source = ", lock, re.MULTILINE)) == len(re.findall(r"^checksum = ", lock, re.MULTILINE))


def test_every_method_of_the_main_contract_is_described():
    described = set(re.findall(r"`(\w+)\(", (ROOT / "docs" / "contracts.md").read_text()))
    methods = {function["name"] for function in abi("outlayer")["body"]["functions"]} - {"contract_source_metadata"}
    assert methods <= described, sorted(methods - described)
