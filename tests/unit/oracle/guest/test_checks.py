import pytest
from wasmtime import Module, wat2wasm

from oracle.guest.checks import complaint, header_complaint
from oracle.guest.engine import new_engine
from oracle.guest.wire import MAX_WASM_BYTES

MODULE = b"\0asm\x01\0\0\0"
WASI = "wasi_snapshot_preview1"


@pytest.fixture(scope="module")
def complaint_of():
    engine = new_engine()
    return lambda text: complaint(Module(engine, wat2wasm(text)))


def test_a_module_has_nothing_to_complain_of_in_its_header():
    assert header_complaint(MODULE) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not WebAssembly"),
        (b"\x7fELF\x02", "not WebAssembly"),
        (b"\0asm", "ends within its header"),
        (b"\n<!DOCTYPE html><html>", "an HTML page"),
        (b"\0asm\x0d\0\x01\0", "WASI P2 components are not run by this worker version; build for wasm32-wasip1."),
        (b"\0asm\x02\0\0\0", "version 2"),
        (MODULE + bytes(MAX_WASM_BYTES), f"at most {MAX_WASM_BYTES}"),
    ],
)
def test_what_is_no_module_is_told_by_its_header(content, told):
    assert told in header_complaint(content)


def test_a_command_is_run(complaint_of):
    assert complaint_of('(module (memory (export "memory") 1) (func (export "_start")))') is None


def test_imports_nobody_offers_are_named(complaint_of):
    told = complaint_of('(module (import "env" "http_get" (func)) (import "env" "abort" (func)) (func (export "_start")))')
    assert "env.http_get, env.abort" in told


def test_only_the_first_few_of_many_imports_are_named(complaint_of):
    imports = "".join(f'(import "env" "f{i}" (func))' for i in range(100))
    told = complaint_of(f"(module {imports})")
    assert "env.f4 and 95 more" in told
    assert "env.f5" not in told


@pytest.mark.parametrize(
    "text",
    [
        f'(module (import "{WASI}" "fd_write" (func (param i32) (result i32))))',
        f'(module (import "{WASI}" "fd_write" (func (param i32 i32 i32 i32))))',
        f'(module (import "{WASI}" "proc_exit" (func (param i32) (result i32))))',
        f'(module (import "{WASI}" "memory" (memory 1)))',
        f'(module (import "{WASI}" "no_such_call" (func)))',
    ],
)
def test_an_import_of_another_type_than_the_standards_is_not_offered(complaint_of, text):
    assert "does not offer: wasi_snapshot_preview1." in complaint_of(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('(module (memory (export "memory") 1))', "exports no function `_start`"),
        ('(module (memory (export "memory") 1) (global (export "_start") i32 (i32.const 0)))', "exports no function `_start`"),
        ('(module (memory (export "memory") 1) (func (export "_start") (param i32)))', "takes or returns values"),
        ('(module (func (export "_start")))', "no memory named `memory`"),
    ],
)
def test_a_module_that_is_no_command_is_told_what_it_lacks(complaint_of, text, told):
    assert told in complaint_of(text)
