"""A contract that logs exactly what it is told: it stands in for a broken or hostile one."""

from py_near import transactions as near
from wasmtime import wat2wasm

from tests.acceptance.harness.client import TGAS

LOGGER = bytes(
    wat2wasm(
        """
        (module
          (import "env" "input" (func $input (param i64)))
          (import "env" "register_len" (func $register_len (param i64) (result i64)))
          (import "env" "read_register" (func $read_register (param i64 i64)))
          (import "env" "log_utf8" (func $log_utf8 (param i64 i64)))
          (import "env" "panic" (func $panic))
          (memory (export "memory") 8)
          (func $log (export "log")
            (call $input (i64.const 0))
            (call $read_register (i64.const 0) (i64.const 0))
            (call $log_utf8 (call $register_len (i64.const 0)) (i64.const 0)))
          (func (export "log_and_fail") (call $log) (call $panic)))
        """
    )
)


def log(text):
    """The action that logs a text, as it is."""
    return near.create_function_call_action("log", text.encode(), 30 * TGAS, 0)


def log_and_fail(text):
    """The same, undone."""
    return near.create_function_call_action("log_and_fail", text.encode(), 30 * TGAS, 0)
