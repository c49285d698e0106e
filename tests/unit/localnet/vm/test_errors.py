"""Errors as clients read them."""

import pytest

from localnet.vm import CodeDoesNotExist, HostError, LinkError, WasmTrap
from localnet.vm.errors import rust_debug


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        ("tab\tback\\slash\0", '"tab\\tback\\\\slash\\0"'),
        ("it's", '"it\'s"'),
        ("caf\u00e9 \u4e16", '"caf\u00e9 \u4e16"'),
        ("\x1b[0m\x7f", '"\\u{1b}[0m\\u{7f}"'),
        (7, "7"),
    ],
)
def test_values_are_written_as_rust_debug_writes_them(value: str | int, written: str) -> None:
    assert rust_debug(value) == written


def test_a_missing_contract_is_told_as_clients_match_it() -> None:
    error = CodeDoesNotExist("x.near")

    assert error.kind == {"CompilationError": {"CodeDoesNotExist": {"account_id": "x.near"}}}
    assert error.view_text == 'CompilationError(CodeDoesNotExist { account_id: "x.near" })'


def test_errors_are_equal_when_clients_could_not_tell_them_apart() -> None:
    assert LinkError("a") == LinkError("a")
    assert LinkError("a") != LinkError("b")
    assert hash(WasmTrap("Unreachable")) == hash(WasmTrap("Unreachable"))
    assert HostError("BadUTF8", "text") != WasmTrap("Unreachable")
