"""
A contract with its meter built in.

Added, all behind what was there, so that indices stay: two globals, exported as `gas` and `stack`, that count down; a trampoline
for each import; a function that pays for instructions whose price depends on an operand. Rules:
- A charge subtracts, then traps if the result is negative: the global then says by how much, and which of the two ran out.
- An import is called through its trampoline, which hands the host the remaining gas and the size of the memory and takes
  the remaining gas back: the host needs no call into the engine to learn or change them.
- The memory is 1,024 to 2,048 pages, whatever the contract declares. Custom sections go. The start function is exported
  as `start`, because the gas must be set before it runs. Exported functions get a "." in front of their names.
"""

from typing import Final

from localnet.parameters import Parameters
from localnet.vm.errors import CompilationFailed
from localnet.vm.wasm import module as sections
from localnet.vm.wasm import opcodes
from localnet.vm.wasm.analysis import Analysis, FunctionAnalysis, Redirect
from localnet.vm.wasm.charges import Kind, Point
from localnet.vm.wasm.module import Body, WasmModule
from localnet.vm.wasm.reader import Reader, leb_s, leb_u

GAS_EXPORT, STACK_EXPORT, MEMORY_EXPORT, START_EXPORT = "gas", "stack", "memory", "start"
METHOD_PREFIX = "."

_GET_LOCAL, _GET_GLOBAL, _SET_GLOBAL, _CALL = b"\x20", b"\x23", b"\x24", b"\x10"
_CONST64, _ADD64, _SUB64, _MUL64, _EXTEND_U, _LESS_THAN_ZERO = b"\x42", b"\x7c", b"\x7d", b"\x7e", b"\xad", b"\x42\x00\x53"
_TRAP_IF = b"\x04\x40\x00\x0b"
_MEMORY_SIZE, _BLOCK, _END, _RETURN, _NO_RESULT = b"\x3f\x00", b"\x02", b"\x0b", b"\x0f", b"\x40"
_I32, _I64, _MUTABLE_I64 = bytes([opcodes.I32]), bytes([opcodes.I64]), bytes([opcodes.I64, 1])
_SECTION_ORDER: Final = (1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11)
_OP_BYTES = 8
"""Entering a function costs an instruction for each 8 bytes of its frame."""


class Rewriter:
    """Builds the metered module."""

    def __init__(self, module: WasmModule, parameters: Parameters) -> None:
        self.module, self.parameters, self.limits = module, parameters, parameters.limits
        globals_count, imported = len(module.global_types), len(module.imports)
        self.gas, self.stack = leb_u(globals_count), leb_u(globals_count + 1)
        self.linear = imported + len(module.functions)
        self.first_trampoline = self.linear + 1
        self.blocks = self.params = 0

    def run(self) -> bytes:
        """
        Write the metered module.

        Raises:
            CompilationFailed: an instruction no node knows, or a limit of functions, blocks, parameters or operands.
        """
        content = {
            sections.TYPE: self._types(),
            sections.IMPORT: self._imports(),
            sections.FUNCTION: self._functions(),
            sections.MEMORY: b"\1\1" + leb_u(self.limits.initial_memory_pages) + leb_u(self.limits.max_memory_pages),
            sections.GLOBAL: self._globals(),
            sections.EXPORT: self._exports(),
            sections.CODE: self._code(),
        }
        for copied in (sections.TABLE, sections.DATA_COUNT, sections.DATA):
            if copied in self.module.raw:
                content[copied] = _rest(self.module.raw[copied])
        if sections.ELEMENT in self.module.raw:
            content[sections.ELEMENT] = self._redirected(sections.ELEMENT)
        out = bytearray(self.module.code[:8])
        for section in _SECTION_ORDER:
            if section in content:
                out += bytes([section]) + leb_u(len(content[section])) + content[section]
        if len(out) > self.limits.max_instrumented_code_size:
            raise CompilationFailed("InstrumentedCodeTooLarge", f"{len(out)} bytes with the meter")
        return bytes(out)

    def _entries(self, section: int) -> tuple[int, bytes]:
        if section not in self.module.raw:
            return 0, b""
        reader = _copy(self.module.raw[section])
        return reader.u32(), _rest(reader)

    def _host_type(self, import_index: int) -> bytes:
        own = self.module.function_type(import_index)
        params, results = own.params + _I64 + _I32, own.results + _I64
        return b"\x60" + leb_u(len(params)) + params + leb_u(len(results)) + results

    def _types(self) -> bytes:
        """The module's types, the linear charge's, then one for each import as the host sees it."""
        count, raw = self._entries(sections.TYPE)
        host = b"".join(self._host_type(index) for index in range(len(self.module.imports)))
        return leb_u(count + 1 + len(self.module.imports)) + raw + b"\x60\x02" + _I32 + _I64 + b"\x01" + _I32 + host

    def _imports(self) -> bytes:
        first = len(self.module.types) + 1
        out = leb_u(len(self.module.imports))
        for index, imported in enumerate(self.module.imports):
            name = imported.name.encode()
            out += b"\x03env" + leb_u(len(name)) + name + b"\0" + leb_u(first + index)
        return out

    def _functions(self) -> bytes:
        count, raw = self._entries(sections.FUNCTION)
        trampolines = b"".join(leb_u(imported.type_index) for imported in self.module.imports)
        return leb_u(count + 1 + len(self.module.imports)) + raw + leb_u(len(self.module.types)) + trampolines

    def _globals(self) -> bytes:
        count = len(self.module.global_types)
        own = b""
        if sections.GLOBAL in self.module.raw:
            own = self._redirected(sections.GLOBAL)
            own = own[_after_leb(own, 0) :]
        stack = _MUTABLE_I64 + _CONST64 + leb_s(self.limits.max_stack_height) + _END
        return leb_u(count + 2) + own + _MUTABLE_I64 + _CONST64 + b"\0" + _END + stack

    def _exports(self) -> bytes:
        functions = {METHOD_PREFIX + name: index for name, index in self.module.exports.items()}
        if self.module.start is not None:
            functions[START_EXPORT] = self.module.start
        out = leb_u(len(functions) + 3)
        for name, index in functions.items():
            out += _export(name, 0, leb_u(self._own_function(index)))
        return out + _export(MEMORY_EXPORT, 2, b"\0") + _export(GAS_EXPORT, 3, self.gas) + _export(STACK_EXPORT, 3, self.stack)

    def _own_function(self, index: int) -> int:
        """Imports are reached through their trampolines."""
        return self.first_trampoline + index if index < len(self.module.imports) else index

    def _redirected(self, section: int) -> bytes:
        """A section's content, each index of an imported function replaced."""
        raw = self.module.raw[section]
        out, position = bytearray(), raw.position
        for start, index in self.module.function_references:
            if raw.position <= start < raw.end and index < len(self.module.imports):
                out += self.module.code[position:start] + leb_u(self._own_function(index))
                position = _after_leb(self.module.code, start)
        return bytes(out + self.module.code[position : raw.end])

    def _code(self) -> bytes:
        own = [self._body(body) for body in self.module.bodies]
        bodies = [*own, self._linear_body(), *(self._trampoline(index) for index in range(len(self.module.imports)))]
        return leb_u(len(bodies)) + b"".join(leb_u(len(body)) + body for body in bodies)

    def _subtract(self, global_index: bytes, amount: bytes) -> bytes:
        """Count a global down by what `amount` pushes; trap below zero."""
        return (
            _GET_GLOBAL + global_index + amount + _SUB64 + _SET_GLOBAL + global_index
            + _GET_GLOBAL + global_index + _LESS_THAN_ZERO + _TRAP_IF
        )  # fmt: skip

    def _linear_body(self) -> bytes:
        """(count, constant) -> count; pays constant + unit x count."""
        units = _GET_LOCAL + b"\0" + _EXTEND_U + _CONST64 + leb_s(self.parameters.linear_op_unit_cost) + _MUL64
        price = _GET_LOCAL + b"\1" + units + _ADD64
        return b"\0" + self._subtract(self.gas, price) + _GET_LOCAL + b"\0" + _END

    def _trampoline(self, index: int) -> bytes:
        params = len(self.module.function_type(index).params)
        arguments = b"".join(_GET_LOCAL + leb_u(number) for number in range(params))
        call = arguments + _GET_GLOBAL + self.gas + _MEMORY_SIZE + _CALL + leb_u(index)
        return b"\0" + call + _SET_GLOBAL + self.gas + _END

    def _body(self, body: Body) -> bytes:
        analysis = FunctionAnalysis(self.module, body, self.parameters).run()
        kind = self.module.types[body.type_index]
        self._check_limits(analysis, len(kind.params))
        frame_ops = (analysis.frame_bytes + _OP_BYTES - 1) // _OP_BYTES
        stack = _CONST64 + leb_s(analysis.frame_bytes + analysis.operand_bytes)
        unstack = _GET_GLOBAL + self.stack + stack + _ADD64 + _SET_GLOBAL + self.stack
        out = bytearray(self.module.code[body.locals_start : body.start])
        out += _BLOCK + (kind.results or _NO_RESULT) + self._subtract(self.stack, stack)
        out += self._charge(frame_ops * self.parameters.regular_op_cost)
        position = body.start
        for offset, end, text in self._edits(analysis, unstack):
            out += self.module.code[position:offset] + text
            position = end
        return bytes(out + self.module.code[position : body.end] + unstack + _END)

    def _charge(self, gas: int) -> bytes:
        return self._subtract(self.gas, _CONST64 + leb_s(gas))

    def _edits(self, analysis: Analysis, unstack: bytes) -> list[tuple[int, int, bytes]]:
        """(offset, end of what is replaced, new bytes), in order; a charge comes before an instruction at its place."""
        edits = [(point.offset, point.offset, self._payment(point)) for point in analysis.points]
        edits += [(redirect.offset, redirect.end, self._instead(redirect, unstack)) for redirect in analysis.redirects]
        return sorted((edit for edit in edits if edit[2]), key=lambda edit: (edit[0], edit[1]))

    def _payment(self, point: Point) -> bytes:
        if point.kind is Kind.DEAD or not point.cost:
            return b""
        if point.kind is Kind.LINEAR:
            return _CONST64 + leb_s(point.cost) + _CALL + leb_u(self.linear)
        return self._charge(point.cost)

    def _instead(self, redirect: Redirect, unstack: bytes) -> bytes:
        if redirect.opcode == opcodes.RETURN:
            return unstack + _RETURN
        return bytes([redirect.opcode]) + leb_u(self._own_function(redirect.function))

    def _check_limits(self, analysis: Analysis, params: int) -> None:
        limits = self.limits
        self.blocks += analysis.blocks
        self.params += params
        for found, allowed, reason in (
            (params, limits.max_params_per_function, "TooManyParamsPerFunction"),
            (self.params, limits.max_params_per_contract, "TooManyParamsPerContract"),
            (analysis.operand_bytes, limits.max_operand_stack_bytes_per_function, "OperandStackTooLarge"),
            (analysis.blocks, limits.max_blocks_per_function, "TooManyBlocksPerFunction"),
            (self.blocks, limits.max_blocks_per_contract, "TooManyBlocksPerContract"),
        ):
            if found > allowed:
                raise CompilationFailed(reason, f"{found}, {allowed} are allowed")


def _copy(reader: Reader) -> Reader:
    return Reader(reader.data, reader.position, reader.end)


def _rest(reader: Reader) -> bytes:
    return reader.data[reader.position : reader.end]


def _after_leb(code: bytes, position: int) -> int:
    while code[position] >= 0x80:
        position += 1
    return position + 1


def _export(name: str, kind: int, index: bytes) -> bytes:
    raw = name.encode()
    return leb_u(len(raw)) + raw + bytes([kind]) + index
