"""
Random contracts for the meter: nested control flow, dead code, traps, calls, recursion, tables and bulk memory.

Each asks the host for the gas used so far at random places and keeps what it hears in memory, so that a charge in the
wrong place shows even when the sum is right. Same seed, same contract.
"""

import random

TYPES = ("i32", "i64", "f32", "f64")
BINARY = {
    "i32": ("add", "sub", "mul", "div_u", "rem_s", "and", "xor", "shl", "rotr"),
    "i64": ("add", "mul", "div_s", "rem_u", "or", "shr_u"),
    "f32": ("add", "mul", "div", "copysign", "max"),
    "f64": ("sub", "mul", "min"),
}
UNARY = {"i32": ("clz", "popcnt", "extend8_s"), "i64": ("ctz", "extend32_s"), "f32": ("abs", "sqrt"), "f64": ("neg", "ceil")}
CONVERSIONS = {
    "i32": (("wrap_i64", "i64"), ("trunc_f32_s", "f32"), ("trunc_sat_f64_u", "f64"), ("reinterpret_f32", "f32")),
    "i64": (("extend_i32_u", "i32"), ("trunc_f64_s", "f64"), ("trunc_sat_f32_s", "f32")),
    "f32": (("convert_i32_s", "i32"), ("demote_f64", "f64")),
    "f64": (("convert_i64_u", "i64"), ("promote_f32", "f32")),
}
COMPARISONS = {"i32": ("eq", "lt_s", "ge_u"), "i64": ("ne", "gt_u"), "f32": ("lt",), "f64": ("ge",)}
LOADS = {"i32": ("load", "load8_u", "load16_s"), "i64": ("load", "load32_u"), "f32": ("load",), "f64": ("load",)}
STORES = {"i32": ("store", "store8"), "i64": ("store", "store16"), "f32": ("store",), "f64": ("store",)}


class Contract:
    """Builds one module."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions = [self._signature() for _ in range(self.random.randint(1, 4))]
        self.globals = [self.random.choice(TYPES) for _ in range(self.random.randint(1, 3))]

    def _signature(self) -> tuple[list[str], str]:
        params = [self.random.choice(TYPES) for _ in range(self.random.randint(0, 3))]
        return params, self.random.choice(("", *TYPES))

    def text(self) -> str:
        out = [
            "(module",
            ' (import "env" "used_gas" (func $used_gas (result i64)))',
            ' (import "env" "promise_yield_create" (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))',
            ' (import "env" "value_return" (func $value_return (param i64 i64)))',
            " (memory 1)",
            " (table 6 funcref)",
            ' (data (i32.const 512) "name") (data $passive "some bytes to copy")',
            f" (elem (i32.const 0) $used_gas {' '.join(f'$f{index}' for index in range(len(self.functions)))})",
            " (elem $spare func $f0 $used_gas)",
        ]
        out += [f" (global $g{index} (mut {kind}) ({kind}.const 1))" for index, kind in enumerate(self.globals)]
        out += [f" (type $t{index} {signature(*kind)})" for index, kind in enumerate([([], "i64"), *self.functions])]
        out += [self._function(index) for index in range(len(self.functions))]
        out.append(self._main())
        return "\n".join([*out, ")"])

    def _main(self) -> str:
        reserve = (
            f"(drop (call $yield (i64.const 4) (i64.const 512) (i64.const 0) (i64.const 0)"
            f" (i64.const {self.random.randint(1, 10**13)}) (i64.const 0) (i64.const 1)))"
        )
        body = Body(self, [], "").statements(3)
        calls = " ".join(self._call_dropped(index) for index in range(len(self.functions)))
        return (
            f' (func (export "main") (local $depth i32) {LOCALS} (local.set $depth (i32.const 12))\n'
            f" {reserve if self.random.random() < 0.7 else 'nop'}\n {body}\n {calls}\n (call $value_return (i64.const 256) (i64.const 0)))"
        )

    def _call_dropped(self, index: int) -> str:
        params, result = self.functions[index]
        text = f"(call $f{index} (i32.const {self.random.randint(0, 6)}) " + " ".join(f"({kind}.const 3)" for kind in params) + ")"
        return f"(drop {text})" if result else text

    def _function(self, index: int) -> str:
        params, result = self.functions[index]
        names = "".join(f" (param $p{number} {kind})" for number, kind in enumerate(params))
        body = Body(self, params, result)
        extra = " ".join(f"(local {self.random.choice(TYPES)})" for _ in range(self.random.randint(0, 4)))
        returned = f" (result {result})" if result else ""
        last = body.expression(result, 3) if result else ""
        header = f"(func $f{index} (param $depth i32){names}{returned} {extra} {LOCALS}"
        return f" {header}\n {body.statements(3)}\n {last})"


LOCALS = "(local $n i32) (local $i i32) (local $j i64) (local $x f32) (local $y f64)"


def signature(params: list[str], result: str) -> str:
    """A function type; every own function takes the depth first."""
    depth = "" if (params, result) == ([], "i64") else " (param i32)"
    return f"(func{depth}" + "".join(f" (param {kind})" for kind in params) + (f" (result {result})" if result else "") + ")"


class Body:
    """Statements and typed expressions of one function."""

    def __init__(self, contract: Contract, params: list[str], result: str) -> None:
        self.contract, self.random, self.params, self.result = contract, contract.random, params, result
        self.labels: list[tuple[str, str, bool]] = []
        self.count = 0

    def statements(self, depth: int) -> str:
        return "\n ".join(self.statement(depth) for _ in range(self.random.randint(1, 4)))

    def statement(self, depth: int) -> str:
        simple = (self._set, self._store, self._drop, self._hear, self._nop, self._global, self._bulk)
        nested = (self._block, self._loop, self._if, self._if_else, self._call, self._branch, self._ending, self._dead, self._call_table)
        return self.random.choice(simple if depth <= 0 else (*simple, *nested, *nested))(depth - 1)

    def _variable(self, kind: str) -> str:
        own = [f"$p{number}" for number, each in enumerate(self.params) if each == kind]
        return self.random.choice([*own, {"i32": "$i", "i64": "$j", "f32": "$x", "f64": "$y"}[kind]])

    def _address(self) -> str:
        outside = "i32.const 67108860" if self.random.random() < 0.02 else None
        return f"({outside or f'i32.const {self.random.randint(0, 300)}'})"

    def expression(self, kind: str, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.25:
            return self.random.choice(
                (f"({kind}.const {self.random.choice((0, 1, 2, 7, 100, 255))})", f"(local.get {self._variable(kind)})")
            )
        smaller = depth - 1
        other, (conversion, source) = self.random.choice(TYPES), self.random.choice(CONVERSIONS[kind])
        choices = [
            lambda: f"({kind}.{self.random.choice(BINARY[kind])} {self.expression(kind, smaller)} {self.expression(kind, smaller)})",
            lambda: f"({kind}.{self.random.choice(UNARY[kind])} {self.expression(kind, smaller)})",
            lambda: f"({kind}.{conversion} {self.expression(source, smaller)})",
            lambda: f"({kind}.{self.random.choice(LOADS[kind])} {self._address()})",
            lambda: f"(select {self.expression(kind, smaller)} {self.expression(kind, smaller)} {self.expression('i32', smaller)})",
            lambda: f"(local.tee {self._variable(kind)} {self.expression(kind, smaller)})",
            lambda: (
                f"(if (result {kind}) {self.expression('i32', smaller)} (then {self.expression(kind, smaller)})"
                f" (else {self.expression(kind, smaller)}))"
            ),
            lambda: f"(block (result {kind}) {self.statement(smaller)} {self.expression(kind, smaller)})",
        ]
        if kind == "i32":
            comparison = self.random.choice(COMPARISONS[other])
            choices += [
                lambda: f"({other}.{comparison} {self.expression(other, smaller)} {self.expression(other, smaller)})",
                lambda: f"(i32.eqz {self.expression('i32', smaller)})",
                lambda: "(memory.size)",
                lambda: f"(memory.grow (i32.const {self.random.randint(0, 2)}))",
                lambda: "(table.size)",
                lambda: "(ref.is_null (table.get (i32.const 1)))",
            ]
        if kind == "i64":
            choices.append(lambda: "(call $used_gas)")
        return self.random.choice(choices)()

    def _set(self, depth: int) -> str:
        kind = self.random.choice(TYPES)
        return f"(local.set {self._variable(kind)} {self.expression(kind, depth)})"

    def _store(self, depth: int) -> str:
        kind = self.random.choice(TYPES)
        return f"({kind}.{self.random.choice(STORES[kind])} {self._address()} {self.expression(kind, depth)})"

    def _drop(self, depth: int) -> str:
        return f"(drop {self.expression(self.random.choice(TYPES), depth)})"

    def _hear(self, depth: int) -> str:
        return f"(i64.store (i32.const {self.random.randint(0, 30) * 8}) (call $used_gas))"

    def _nop(self, depth: int) -> str:
        return "nop"

    def _global(self, depth: int) -> str:
        index = self.random.randrange(len(self.contract.globals))
        kind = self.contract.globals[index]
        return f"(global.set $g{index} {self.expression(kind, depth)}) (drop (global.get $g{index}))"

    def _bulk(self, depth: int) -> str:
        size = f"(i32.const {self.random.choice((0, 1, 5, 18))})"
        return self.random.choice(
            (
                f"(memory.copy (i32.const 300) (i32.const 310) {size})",
                f"(memory.fill (i32.const 300) (i32.const 7) {size})",
                f"(memory.init $passive (i32.const 300) (i32.const 0) {size})",
                "(data.drop $passive)",
                "(table.init $spare (i32.const 0) (i32.const 0) (i32.const 1))",
                "(elem.drop $spare)",
                "(table.copy (i32.const 0) (i32.const 1) (i32.const 1))",
                "(table.fill (i32.const 5) (ref.null func) (i32.const 1))",
                "(table.set (i32.const 5) (ref.func $used_gas))",
                "(drop (table.grow (ref.null func) (i32.const 2)))",
            )
        )

    def _label(self, kind: str, *, is_loop: bool = False) -> str:
        self.count += 1
        self.labels.append((f"$l{self.count}", kind, is_loop))
        return f"$l{self.count}"

    def _block(self, depth: int) -> str:
        if self.random.random() < 0.5:
            label = self._label("")
            text = f"(block {label} {self.statements(depth)})"
        else:
            kind = self.random.choice(TYPES)
            label = self._label(kind)
            text = f"(drop (block {label} (result {kind}) {self.statements(depth)} {self.expression(kind, depth)}))"
        self.labels.pop()
        return text

    def _loop(self, depth: int) -> str:
        label = self._label("", is_loop=True)
        inner = self.statements(depth)
        self.labels.pop()
        again = (
            f"(local.set $n (i32.add (local.get $n) (i32.const 1)))"
            f" (br_if {label} (i32.lt_u (i32.and (local.get $n) (i32.const 31)) (i32.const {self.random.randint(1, 12)})))"
        )
        return f"(loop {label} {inner} {again if self.random.random() < 0.8 else ''})"

    def _if(self, depth: int) -> str:
        condition = self.expression("i32", depth)
        label = self._label("")
        text = f"(if {label} {condition} (then {self.statements(depth)}))"
        self.labels.pop()
        return text

    def _if_else(self, depth: int) -> str:
        condition = self.expression("i32", depth)
        label = self._label("")
        text = f"(if {label} {condition} (then {self.statements(depth)}) (else {self.statements(depth)}))"
        self.labels.pop()
        return text

    def _forward(self) -> list[tuple[str, str]]:
        return [(label, kind) for label, kind, is_loop in self.labels if not is_loop]

    def _branch(self, depth: int) -> str:
        targets = self._forward()
        if not targets:
            return "nop"
        label, kind = self.random.choice(targets)
        condition = self.expression("i32", depth)
        if kind:
            return f"(drop (br_if {label} {self.expression(kind, depth)} {condition}))"
        table = [name for name, each in targets if not each]
        if self.random.random() < 0.3:
            names = " ".join(self.random.choice(table) for _ in range(3))
            return f"(br_table {names} {condition})"
        return f"(br_if {label} {condition})" if self.random.random() < 0.6 else f"(br {label})"

    def _ending(self, depth: int) -> str:
        if self.random.random() < 0.7:
            return f"(if {self.expression('i32', depth)} (then {self._end_of(depth)}))"
        return self._end_of(depth)

    def _end_of(self, depth: int) -> str:
        if self.random.random() < 0.15:
            return "unreachable"
        return f"(return {self.expression(self.result, depth)})" if self.result else "return"

    def _dead(self, depth: int) -> str:
        label = self._label("")
        after = self.statements(depth)
        self.labels.pop()
        return f"(block {label} (br {label}) {after})"

    def _call(self, depth: int) -> str:
        index = self.random.randrange(len(self.contract.functions))
        params, result = self.contract.functions[index]
        arguments = " ".join(self.expression(kind, depth - 1) for kind in params)
        text = f"(call $f{index} (i32.sub (local.get $depth) (i32.const 1)) {arguments})"
        text = f"(drop {text})" if result else text
        return f"(if (i32.gt_s (local.get $depth) (i32.const 0)) (then {text}))"

    def _call_table(self, depth: int) -> str:
        index = self.random.choice((0, 0, 1, 5))
        return f"(drop (call_indirect (type $t0) (i32.const {index})))" if self.random.random() < 0.3 else "nop"


RETURNING = 264_768_111 + 2_609_863_200 + 256 * 3_801_333
"""Gas of `value_return`, the last thing each contract does."""


def calls(seed: int) -> list[dict[str, object]]:
    """One call with plenty of gas, and two that end within their first host functions."""
    chosen = random.Random(seed)
    amounts = (300 * 10**12, chosen.randint(1, 3 * 10**10), chosen.randint(10**12, 16 * 10**11))
    return [_call(seed, gas) for gas in amounts]


def starved(seed: int, used_gas: int) -> list[dict[str, object]]:
    """Calls that run out a little before the gas that the whole run uses, in mid-function and with gas reserved for a yield."""
    chosen = random.Random(seed)
    return [_call(seed, max(1, used_gas - RETURNING - int(10 ** chosen.uniform(5, 9.7)))) for _ in range(12)]


def _call(seed: int, gas: int) -> dict[str, object]:
    return {"method": "main", "wasm": f"random{seed}.wasm", "current_account": f"random{seed}.near", "prepaid_gas": gas}
