"""
One module for each way code can be refused, linked, started, trapped or exhausted.

What a node answers is recorded by `record.py`.
"""

USED_GAS = '(import "env" "used_gas" (func $used_gas (result i64)))'
RETURN = '(import "env" "value_return" (func $value_return (param i64 i64)))'
MAIN = '(func (export "main"))'


def recursion(params: str, arguments: str, locals_: str, work: str) -> str:
    """A function that calls itself until the stack ends."""
    return (
        f"(module (memory 1) (func $f {params} {locals_} {work} (call $f {arguments})) "
        f'(func (export "main") (call $f {arguments.replace("local.get 0", "i64.const 1")})))'
    )


PUSHES = " ".join("(i64.const 1)" for _ in range(40)) + " " + " ".join("drop" for _ in range(40))

MODULES = {
    "plain": f"(module {MAIN})",
    "unknown_import": f'(module (import "env" "no_such_function" (func)) {MAIN})',
    "unknown_import_missing_method": '(module (import "env" "no_such_function" (func)))',
    "other_module": f'(module (import "wasi" "fd_write" (func)) {MAIN})',
    "wrong_type": f'(module (import "env" "used_gas" (func (param i32))) {MAIN})',
    "imported_memory": f'(module (import "env" "memory" (memory 1)) {MAIN})',
    "imported_global": f'(module (import "env" "g" (global i32)) {MAIN})',
    "imported_table": f'(module (import "env" "t" (table 1 funcref)) {MAIN})',
    "internal_import": f'(module (import "internal" "finite_wasm_gas" (func (param i64))) {MAIN})',
    "has_parameters": '(module (func (export "main") (param i32)))',
    "has_result": '(module (func (export "main") (result i32) (i32.const 1)))',
    "exports_global": '(module (global (export "main") i32 (i32.const 1)))',
    "exports_memory": f'(module (memory (export "memory") 1) {MAIN} (func (export "gas")) (func (export "stack") unreachable))',
    "exports_import": '(module (import "env" "panic" (func $panic)) (export "main" (func $panic)))',
    "exports_import_with_result": f'(module {USED_GAS} (export "main" (func $used_gas)))',
    "start": f'(module {USED_GAS} {RETURN} (memory 1) (func $start (i64.store (i32.const 0) (call $used_gas))) (start $start) '
    '(func (export "main") (call $value_return (i64.const 8) (i64.const 0))))',
    "start_traps": f"(module (func $start unreachable) (start $start) {MAIN})",
    "start_is_import": f'(module (import "env" "panic" (func $panic)) (start $panic) {MAIN})',
    "start_loops": f"(module (func $start (loop $l br $l)) (start $start) {MAIN})",
    "large_memory": f"(module (memory 5000) {MAIN})",
    "small_maximum": '(module (memory 1 2) (func (export "main") (drop (i32.load (i32.const 67108860)))))',
    "outside_memory": '(module (memory 1 2) (func (export "main") (drop (i32.load (i32.const 67108861)))))',
    "no_memory": f'(module {RETURN} (func (export "main") (call $value_return (i64.const 4) (i64.const 0))))',
    "two_memories": f"(module (memory 1) (memory 1) {MAIN})",
    "far_data": f'(module (memory 1500) (data (i32.const 67108862) "four") {MAIN})',
    "near_data": f'(module (memory 1) (data (i32.const 67108860) "four") {MAIN})',
    "element_outside": f"(module (table 1 funcref) (func $f) (elem (i32.const 1) $f) {MAIN})",
    "two_tables": f"(module (table 1 funcref) (table 1 funcref) {MAIN})",
    "table_limit": f"(module (table 10000 funcref) {MAIN})",
    "table_too_large": f"(module (table 10001 funcref) {MAIN})",
    "table_grows": '(module (table 9999 funcref) (func (export "main") (drop (table.grow (ref.null func) (i32.const 1)))))',
    "table_grows_too_far": f'(module {RETURN} (memory 1) (table 9999 funcref) (func (export "main") '
    "(i32.store (i32.const 0) (table.grow (ref.null func) (i32.const 2))) (call $value_return (i64.const 4) (i64.const 0))))",
    "ref_func_of_import": f'(module {USED_GAS} {RETURN} (memory 1) (table 2 funcref) (type $t (func (result i64))) '
    '(elem declare func $used_gas) (global $g funcref (ref.func $used_gas)) (func (export "main") '
    "(table.set (i32.const 0) (ref.func $used_gas)) (table.set (i32.const 1) (global.get $g)) "
    "(i64.store (i32.const 0) (call_indirect (type $t) (i32.const 0))) "
    "(i64.store (i32.const 8) (call_indirect (type $t) (i32.const 1))) (call $value_return (i64.const 16) (i64.const 0))))",
    "element_expressions": f'(module {USED_GAS} (type $t (func (result i64))) (table 4 funcref) '
    '(elem (i32.const 0) funcref (ref.func $used_gas) (ref.null func) (item (ref.func $used_gas))) '
    '(func (export "main") (drop (call_indirect (type $t) (i32.const 2))) (drop (call_indirect (type $t) (i32.const 1)))))',
    "externref": f"(module (table 1 externref) {MAIN})",
    "externref_local": '(module (func (export "main") (local externref)))',
    "multi_value": f"(module (func (result i32 i32) (i32.const 1) (i32.const 2)) {MAIN})",
    "block_parameters": '(module (func (export "main") (i32.const 1) (block (param i32) drop)))',
    "simd": f"(module (func (drop (v128.const i32x4 1 2 3 4))) {MAIN})",
    "threads": f"(module (memory 1 1 shared) {MAIN})",
    "atomics": f"(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))) {MAIN})",
    "tail_call": f"(module (func $f (return_call $f)) {MAIN})",
    "extended_const": f"(module (global i32 (i32.add (i32.const 1) (i32.const 2))) {MAIN})",
    "exceptions": f"(module (tag $t) (func (throw $t)) {MAIN})",
    "memory64": f"(module (memory i64 1) {MAIN})",
    "gc": f"(module (type (struct (field i32))) {MAIN})",
    "type_error": '(module (func (export "main") (drop (i32.add (i32.const 1) (i64.const 2)))))',
    "function_too_large": f'(module (func {"nop " * 196_700}) {MAIN})',
    "too_many_blocks": f'(module (func {"(block) " * 5001}) {MAIN})',
    "most_blocks": f'(module (func {"(block) " * 5000}) {MAIN})',
    "too_many_parameters": f'(module (func (param {"i32 " * 65})) {MAIN})',
    "most_parameters": f'(module (func (param {"i32 " * 64})) {MAIN})',
    "too_many_locals": f'(module (func (local {"i32 " * 300})) {MAIN})',
    "operand_stack": f'(module (func {"(i64.const 1) " * 1024} {"drop " * 1024}) {MAIN})',
    "operand_stack_over": f'(module (func {"(i64.const 1) " * 1025} {"drop " * 1025}) {MAIN})',
    "too_many_types": f'(module {" ".join("(type (func))" for _ in range(1025))} {MAIN})',
    "most_types": f'(module {" ".join("(type (func))" for _ in range(1023))} (type (func (param i32))) {MAIN})',
    "recursion": recursion("", "", "", ""),
    "recursion_wide": recursion("(param i64)", "(local.get 0)", "(local i64 i64 f32 f64 funcref)", PUSHES),
    "recursion_in_dead_block": recursion("(param i64)", "(local.get 0)", "(local i32)", f"(block (br 0) {PUSHES})"),
    "deep_return": f'(module {RETURN} (memory 1) (func $f (param i32) (result i32) '
    "(if (i32.eqz (local.get 0)) (then (return (i32.const 5)))) "
    "(i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))) "
    '(func (export "main") (i32.store (i32.const 0) (call $f (i32.const 2000))) (drop (call $f (i32.const 2000))) '
    "(call $value_return (i64.const 4) (i64.const 0))))",
    "many_returns": '(module (func $f (param i32) (result i32) (if (local.get 0) (then (return (i32.const 1)))) (i32.const 2)) '
    '(func (export "main") (local i32) (loop $l (drop (call $f (i32.const 1))) '
    "(br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9000))))))",
    "branch_returns": '(module (func $f (param i32) (br_if 0 (local.get 0)) (block (br_table 0 1 1 (local.get 0)))) '
    '(func (export "main") (local i32) (loop $l (call $f (i32.const 0)) (call $f (i32.const 1)) '
    "(br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9000))))))",
    "endless": '(module (func (export "main") (loop $l br $l)))',
    "endless_grow": '(module (memory 1) (func (export "main") (loop $l (drop (memory.grow (i32.const 65535))) br $l)))',
    "nan": f'(module {RETURN} (memory 1) (func (export "main") (f32.store (i32.const 0) (f32.add (f32.reinterpret_i32 '
    "(i32.const 0x7fc12345)) (f32.const 1))) (f64.store (i32.const 8) (f64.sqrt (f64.const -2))) "
    "(call $value_return (i64.const 16) (i64.const 0))))",
    "divide_overflow": '(module (func (export "main") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))))',
    "truncate": '(module (func (export "main") (drop (i32.trunc_f32_s (f32.const 3e38)))))',
    "null_call": '(module (table 1 funcref) (type $t (func)) (func (export "main") (call_indirect (type $t) (i32.const 0))))',
    "call_outside_table": '(module (table 1 funcref) (type $t (func)) (func (export "main") (call_indirect (type $t) (i32.const 1))))',
    "wrong_indirect_type": '(module (table 1 funcref) (type $t (func)) (func $f (param i32)) (elem (i32.const 0) $f) '
    '(func (export "main") (call_indirect (type $t) (i32.const 0))))',
}  # fmt: skip

GAS = {
    "endless": 2 * 10**12,
    "start_loops": 10**12,
    "endless_grow": 10**15,
    "recursion": 10**15,
}


def calls() -> list[dict[str, object]]:
    """Each module's `main`, and for some a shortage of gas for loading."""
    entries = [
        {"method": "main", "wasm": f"{name}.wasm", "current_account": f"{name.replace('_', '-')}.near", "prepaid_gas": GAS.get(name)}
        for name in MODULES
    ]
    poor = [
        {"method": "main", "wasm": f"{name}.wasm", "prepaid_gas": gas}
        for name in ("plain", "type_error", "unknown_import")
        for gas in (1, 45 * 10**6)
    ]
    views = [{"method": "main", "wasm": "endless.wasm", "prepaid_gas": 10**12, "is_view": True}]
    return [{key: value for key, value in entry.items() if value is not None} for entry in [*entries, *poor, *views]]
