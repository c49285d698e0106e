"""Whatever bytes an account deploys, a call of them ends; nothing but CompilationFailed comes out of reading them."""

import sys
from contextlib import suppress

import wasmtime
from hypothesis import example, given, settings
from hypothesis import strategies as st

from localnet.parameters import parameters
from localnet.vm import CompilationFailed, Vm
from localnet.vm.engine import validating_engine
from localnet.vm.prepare import meter
from localnet.vm.wasm.module import read_module
from localnet.vm.wasm.rewrite import Rewriter

VALIDATOR = validating_engine()
MODULES = [bytes(wasmtime.wat2wasm(sys.modules["random_cases"].Contract(seed).text())) for seed in range(6)]
MODULES.append(bytes(wasmtime.wat2wasm(sys.modules["host_cases"].wat())))


def read(code: bytes) -> None:
    """Meter code without a validator in front."""
    with suppress(CompilationFailed, IndexError, KeyError):  # `meter` turns all into the first
        Rewriter(read_module(code, parameters().limits), parameters()).run()


@given(st.sampled_from(MODULES), st.floats(0, 1), st.binary(min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_module_with_changed_bytes_is_metered_or_refused(code: bytes, place: float, replacement: bytes) -> None:
    at = int(place * (len(code) - 1))
    changed = code[:at] + replacement + code[at + len(replacement) :]

    with suppress(CompilationFailed):
        metered = meter(VALIDATOR, changed, parameters())
        wasmtime.Module.validate(wasmtime.Engine(), metered.wasm)


@given(st.sampled_from(MODULES), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_module_cut_short_is_metered_or_refused(code: bytes, place: float) -> None:
    with suppress(CompilationFailed):
        metered = meter(VALIDATOR, code[: int(place * (len(code) - 1))], parameters())
        wasmtime.Module.validate(wasmtime.Engine(), metered.wasm)


@given(st.sampled_from(MODULES), st.floats(0, 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_the_reader_alone_stays_within_the_bytes(code: bytes, place: float, replacement: bytes) -> None:
    at = int(place * (len(code) - 1))
    read(code[:at] + replacement + code[at + len(replacement) :])


@given(st.binary(max_size=200))
@example(b"\0asm\1\0\0\0\x01\xff\xff\xff\xff\x0f")
@example(b"\0asm\1\0\0\0\x0a\x05\xff\xff\xff\xff\x0f")
@example(b"\0asm\1\0\0\0\x03\x06\x05\xff\xff\xff\xff\x7f")
@settings(max_examples=200, deadline=None)
def test_any_bytes_behind_the_magic_are_metered_or_refused(tail: bytes) -> None:
    read(b"\0asm\1\0\0\0" + tail)
    prepared = Vm.prepare(_vm(), b"\0asm\1\0\0\0" + tail)

    assert prepared.pre is not None or prepared.failure is not None


_MACHINES: list[Vm] = []


def _vm() -> Vm:
    if not _MACHINES:
        _MACHINES.append(Vm())
    return _MACHINES[0]
