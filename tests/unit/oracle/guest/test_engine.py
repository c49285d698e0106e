from dataclasses import fields, replace

import pytest
from wasmtime import Module, Store, WasmtimeError, wat2wasm

from oracle.guest.engine import METERED, cpu_sha256_hex, new_engine, wasmtime_version


def test_the_settings_are_those_the_receipts_promise():
    # DESIGN: "Fuel is what is billed, so fuel is exact".
    assert METERED.consume_fuel
    assert METERED.wasm_relaxed_simd_deterministic
    assert not any(
        (
            METERED.epoch_interruption,
            METERED.memory_init_cow,
            METERED.wasm_threads,
            METERED.shared_memory,
            METERED.cranelift_nan_canonicalization,
        )
    )
    assert wasmtime_version() == "50.0.1"


@pytest.mark.parametrize("name", [field.name for field in fields(METERED) if isinstance(getattr(METERED, field.name), bool)])
def test_every_switch_changes_the_digest(name):
    assert replace(METERED, **{name: not getattr(METERED, name)}).sha256_hex != METERED.sha256_hex


def test_the_digests_are_the_same_every_time():
    assert replace(METERED).sha256_hex == METERED.sha256_hex
    assert cpu_sha256_hex() == cpu_sha256_hex()


@pytest.mark.parametrize(
    "text",
    [
        '(module (memory (export "memory") 1 1 shared))',
        "(module (memory i64 1))",
        "(module (memory 1) (memory 1))",
        "(module (tag))",
        "(module (type (struct)))",
    ],
    ids=["threads", "memory64", "multi-memory", "exceptions", "gc"],
)
def test_proposals_that_are_switched_off_are_refused(text):
    with pytest.raises(WasmtimeError):
        Module(new_engine(), wat2wasm(text))


def test_data_segments_cost_the_same_fuel_whatever_the_platform_could_map():
    engine = new_engine()
    module = Module(engine, wat2wasm('(module (memory 1) (data (i32.const 0) "0123456789"))'))
    store = Store(engine)
    store.set_fuel(1000)
    from wasmtime import Instance  # noqa: PLC0415

    Instance(store, module, [])
    assert 1000 - store.get_fuel() > 0
