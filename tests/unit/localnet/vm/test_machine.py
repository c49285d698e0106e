"""How a call ends, told to the chain."""

import threading
from collections.abc import Callable

import pytest
import wasmtime

from localnet.vm import NOT_OFFERED, CallContext, CompilationFailed, NotOffered, Vm, VmOutcome
from localnet.vm.host import TABLE

Run = Callable[..., VmOutcome]
NAMES = {"I": "i64", "i": "i32"}

WRITE = """(module
 (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
 (import "env" "log_utf8" (func $log (param i64 i64)))
 (import "env" "panic" (func $panic))
 (import "env" "promise_batch_create" (func $batch (param i64 i64) (result i64)))
 (import "env" "value_return" (func $return (param i64 i64)))
 (memory 1) (data (i32.const 0) "key") (data (i32.const 8) "bob.near")
 (func $all (drop (call $write (i64.const 3) (i64.const 0) (i64.const 2) (i64.const 8) (i64.const 0)))
  (call $log (i64.const 3) (i64.const 0)) (drop (call $batch (i64.const 8) (i64.const 8))) (call $return (i64.const 3) (i64.const 0)))
 (func (export "main") (call $all))
 (func (export "fail") (call $all) (call $panic)))"""


def test_a_call_gives_its_changes_logs_receipts_and_result(run: Run) -> None:
    outcome = run(WRITE)

    assert outcome.error is None
    assert outcome.storage_changes == {b"key": b"bo"}
    assert outcome.storage_usage_bytes == 1000 + 3 + 2 + 40
    assert outcome.logs == ("key",)
    assert [receipt.receiver_id for receipt in outcome.receipts] == ["bob.near"]
    assert outcome.return_data == b"key"


def test_a_failed_call_keeps_only_its_logs_and_gas(run: Run) -> None:
    good, outcome = run(WRITE), run(WRITE, "fail", attached_deposit_yocto=7)

    assert outcome.error is not None
    assert (outcome.storage_changes, outcome.receipts, outcome.resumes, outcome.return_data) == ({}, (), (), None)
    assert (outcome.storage_usage_bytes, outcome.balance_yocto) == (1000, 10**26 + 7)
    assert outcome.logs == ("key",)
    assert outcome.burnt_gas > good.burnt_gas


def test_a_panic_reaches_outcomes_and_views_in_nearcores_words(run: Run) -> None:
    error = run(WRITE, "fail").error

    assert error is not None
    assert error.kind == {"ExecutionError": "Smart contract panicked: explicit guest panic"}
    assert error.view_text == 'HostError(GuestPanic { panic_msg: "explicit guest panic" })'


def test_a_trap_reaches_outcomes_in_nearcores_words(run: Run) -> None:
    error = run('(module (func (export "main") unreachable))').error

    assert error is not None
    assert error.kind == {"ExecutionError": "WebAssembly trap: An `unreachable` opcode was executed."}
    assert error.view_text == "WasmTrap(Unreachable)"


def test_a_missing_method_costs_nothing_and_is_named(run: Run) -> None:
    outcome = run("(module)", "nothing")

    assert outcome.error is not None
    assert outcome.error.kind == {"MethodResolveError": "MethodNotFound"}
    assert outcome.error.view_text == "MethodResolveError(MethodNotFound)"
    assert (outcome.burnt_gas, outcome.used_gas) == (0, 0)


def test_code_that_is_no_wasm_fails_each_call_and_never_the_machine(vm: Vm, make_context: Callable[..., CallContext]) -> None:
    class Nothing:
        def storage_get(self, key: bytes) -> bytes | None:
            return None

        def yield_exists(self, data_id: bytes) -> bool:
            return False

    for code in (b"", b"not wasm", b"\0asm", b"\0asm\1\0\0\0\xff"):
        outcome = vm.run(code, "main", make_context(), Nothing())
        assert isinstance(outcome.error, CompilationFailed)
        assert outcome.error.kind == {"CompilationError": {"PrepareError": "Deserialization"}}


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_a_function_that_is_not_offered_links_and_says_so_when_called(name: str, run: Run) -> None:
    function = TABLE[name]
    kind = "".join(f" (param {NAMES[letter]})" for letter in function.params)
    result = f" (result {NAMES[function.result]})" if function.result else ""
    arguments = " ".join(f"({NAMES[letter]}.const 0)" for letter in function.params)
    call = f"(call $f {arguments})"
    module = (
        f'(module (import "env" "{name}" (func $f{kind}{result})) (func (export "idle"))'
        f' (func (export "main") {f"(drop {call})" if result else call}))'
    )

    assert run(module, "idle").error is None
    error = run(module).error
    assert isinstance(error, NotOffered)
    assert error.kind == {"ExecutionError": f"{name} is not offered by localnet"}


def test_a_fault_of_the_chain_itself_is_raised_and_the_machine_goes_on(vm: Vm, run: Run, make_context: Callable[..., CallContext]) -> None:
    class Broken:
        def storage_get(self, key: bytes) -> bytes | None:
            raise OSError("disk gone")

        def yield_exists(self, data_id: bytes) -> bool:
            return False

    with pytest.raises(OSError, match="disk gone"):
        vm.run(bytes(wasmtime.wat2wasm(WRITE)), "main", make_context(), Broken())

    assert run(WRITE).error is None


def test_an_endless_loop_burns_what_was_paid_and_ends(run: Run) -> None:
    outcome = run('(module (func (export "main") (loop $l br $l)))', prepaid_gas=10**13)

    assert outcome.error is not None
    assert outcome.error.kind == {"ExecutionError": "Exceeded the prepaid gas."}
    assert (outcome.burnt_gas, outcome.used_gas) == (10**13, 10**13)


def test_calls_from_two_threads_do_not_mix(run: Run) -> None:
    outcomes: list[VmOutcome] = []

    def work() -> None:
        outcomes.extend(run(WRITE) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 100
    assert {(outcome.burnt_gas, outcome.logs) for outcome in outcomes} == {(outcomes[0].burnt_gas, ("key",))}


def test_a_call_sees_its_own_writes_and_not_those_of_the_call_before(run: Run) -> None:
    module = """(module
     (import "env" "storage_read" (func $read (param i64 i64 i64) (result i64)))
     (import "env" "value_return" (func $return (param i64 i64)))
     (memory 1) (data (i32.const 0) "key")
     (func (export "main") (drop (call $read (i64.const 3) (i64.const 0) (i64.const 1))) (call $return (i64.const -1) (i64.const 1))))"""

    assert run(module, storage={b"key": b"old"}).return_data == b"old"
    assert run(module).error is not None


def test_memory_is_clean_in_every_call(run: Run) -> None:
    module = """(module
     (import "env" "value_return" (func $return (param i64 i64)))
     (memory 1) (global $g (mut i32) (i32.const 1))
     (func (export "main") (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (global.get $g)))
      (global.set $g (i32.const 7)) (drop (memory.grow (i32.const 9))) (i32.store8 (i32.const 4) (memory.size))
      (call $return (i64.const 8) (i64.const 0))))"""

    assert [run(module).return_data for _ in range(3)] == [b"\1\0\0\0\x09\0\0\0"] * 3
