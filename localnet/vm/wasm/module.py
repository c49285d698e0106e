"""
The sections of a contract, with the limits a node sets them.

Source: near-vm-runner 0.38 `prepare_v3`; WebAssembly core specification, binary format.
"""

from dataclasses import dataclass, field

from localnet.parameters import Limits
from localnet.vm.errors import CompilationFailed
from localnet.vm.wasm.reader import Reader, malformed

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, DATA_COUNT = range(13)

FUNCTION_KIND = 0
_MAGIC = b"\0asm\1\0\0\0"
_IMPORT_KINDS = {1: "Instantiate", 2: "Memory", 3: "Instantiate"}
_CONST_OPERANDS = {0x41: 0, 0x42: 0, 0x43: 4, 0x44: 8, 0x23: 0, 0xD0: 0, 0xD2: 0}
_REF_FUNC, _END = 0xD2, 0x0B


@dataclass(frozen=True, slots=True)
class FunctionType:
    """Value types as the binary format's bytes."""

    params: bytes
    results: bytes


@dataclass(frozen=True, slots=True)
class Import:
    """A function from `env`."""

    name: str
    type_index: int


@dataclass(frozen=True, slots=True)
class Body:
    """A defined function: where its locals and instructions lie in the code, and its locals by runs of one type."""

    type_index: int
    locals_start: int
    start: int
    end: int
    locals: tuple[tuple[int, int], ...]
    """(count, value type) runs, parameters not among them."""


@dataclass(slots=True)
class WasmModule:
    """What the meter needs of a module; sections it copies stay raw."""

    code: bytes
    types: list[FunctionType] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    tables: list[int] = field(default_factory=list)
    global_types: list[int] = field(default_factory=list)
    exports: dict[str, int] = field(default_factory=dict)
    """Exported functions; other exports no host looks at."""
    start: int | None = None
    bodies: list[Body] = field(default_factory=list)
    raw: dict[int, Reader] = field(default_factory=dict)
    """Each section's content after its id and length, by section id."""
    function_references: list[tuple[int, int]] = field(default_factory=list)
    """(position, function index) of each index in globals and elements, to be redirected when it is an import's."""

    def function_type(self, index: int) -> FunctionType:
        """The type of a function, imports first."""
        imported = len(self.imports)
        try:
            type_index = self.imports[index].type_index if index < imported else self.functions[index - imported]
            return self.types[type_index]
        except IndexError as error:
            raise malformed(f"function {index} does not exist") from error


def read_module(code: bytes, limits: Limits) -> WasmModule:
    """
    Read a contract's sections.

    Raises:
        CompilationFailed: no wasm, or over a limit; `reason` is nearcore's.
    """
    return _SectionReader(code, limits).run()


class _SectionReader:
    """Reads section after section into a module."""

    def __init__(self, code: bytes, limits: Limits) -> None:
        self.module, self.limits = WasmModule(code), limits
        self.parsers = {
            TYPE: self._types,
            IMPORT: self._imports,
            FUNCTION: self._functions,
            TABLE: self._tables,
            GLOBAL: self._globals,
            EXPORT: self._exports,
            START: self._start,
            ELEMENT: self._elements,
            CODE: self._bodies,
        }

    def run(self) -> WasmModule:
        """Read all."""
        module, reader = self.module, Reader(self.module.code, len(_MAGIC))
        if module.code[: len(_MAGIC)] != _MAGIC:
            raise malformed("no wasm module of version 1")
        while not reader.at_end:
            section, content = reader.byte(), reader.sub_reader()
            if section == CUSTOM:
                continue
            if section > DATA_COUNT or section in module.raw:
                raise malformed(f"section {section} is unknown or there twice")
            module.raw[section] = Reader(module.code, content.position, content.end)
            if section in self.parsers:
                self.parsers[section](content)
        if len(module.bodies) != len(module.functions):
            raise malformed(f"{len(module.functions)} functions declared, {len(module.bodies)} bodies")
        return module

    def _types(self, reader: Reader) -> None:
        count = reader.u32()
        if count > self.limits.max_types_per_contract:
            raise CompilationFailed("TooManyTypes", f"{count} types, {self.limits.max_types_per_contract} are allowed")
        for _ in range(count):
            if reader.byte() != 0x60:
                raise malformed("type that is no function type")
            params = reader.take(reader.u32())
            self.module.types.append(FunctionType(params, reader.take(reader.u32())))

    def _imports(self, reader: Reader) -> None:
        for _ in range(reader.u32()):
            source, name, kind = reader.name(), reader.name(), reader.byte()
            if source != "env":
                raise CompilationFailed("Instantiate", f'import from "{source}"; contracts import from "env" only')
            if kind != FUNCTION_KIND:
                raise CompilationFailed(_IMPORT_KINDS.get(kind, "Deserialization"), f"import {name} is no function")
            self.module.imports.append(Import(name, reader.u32()))
            self._check_function_count(len(self.module.imports))

    def _check_function_count(self, count: int) -> None:
        allowed = self.limits.max_functions_number_per_contract
        if count > allowed:
            raise CompilationFailed("TooManyFunctions", f"{count} functions, imports among them; {allowed} are allowed")

    def _functions(self, reader: Reader) -> None:
        count = reader.u32()
        self._check_function_count(len(self.module.imports) + count)
        self.module.functions = [reader.u32() for _ in range(count)]

    def _tables(self, reader: Reader) -> None:
        count = reader.u32()
        if count > self.limits.max_tables_per_contract:
            raise CompilationFailed("TooManyTables", f"{count} tables, {self.limits.max_tables_per_contract} is allowed")
        for _ in range(count):
            self.module.tables.append(reader.byte())
            has_maximum, initial = reader.byte(), reader.u32()
            if has_maximum & 1:
                reader.u32()
            allowed = self.limits.max_elements_per_contract_table
            if initial > allowed:
                raise CompilationFailed("TooManyTableElements", f"table of {initial} elements, {allowed} are allowed")

    def _globals(self, reader: Reader) -> None:
        for _ in range(reader.u32()):
            self.module.global_types.append(reader.byte())
            reader.byte()
            self._constant(reader)

    def _constant(self, reader: Reader) -> None:
        """One constant instruction and `end`: wasmtime's validator also takes extended constants, a node does not."""
        operation = reader.byte()
        if operation not in _CONST_OPERANDS:
            raise malformed(f"opcode {operation:#x} in a constant")
        if operation == _REF_FUNC:
            self.module.function_references.append((reader.position, reader.u32()))
        elif width := _CONST_OPERANDS[operation]:
            reader.take(width)
        else:
            reader.skip_leb()
        if reader.byte() != _END:
            raise malformed("constant of more than one instruction")

    def _exports(self, reader: Reader) -> None:
        for _ in range(reader.u32()):
            name, kind, index = reader.name(), reader.byte(), reader.u32()
            if kind == FUNCTION_KIND:
                self.module.exports[name] = index

    def _start(self, reader: Reader) -> None:
        self.module.start = reader.u32()

    def _elements(self, reader: Reader) -> None:
        for _ in range(reader.u32()):
            form = reader.u32()
            if form > 7:
                raise malformed(f"element segment of form {form}")
            is_active, has_expressions = not form & 1, form & 4
            if is_active:
                if form & 2:
                    reader.u32()
                self._constant(reader)
            if form & 3:
                reader.byte()
            for _ in range(reader.u32()):
                if has_expressions:
                    self._constant(reader)
                else:
                    self.module.function_references.append((reader.position, reader.u32()))

    def _bodies(self, reader: Reader) -> None:
        count = reader.u32()
        if count > len(self.module.functions):
            raise malformed(f"{len(self.module.functions)} functions declared, {count} bodies")
        locals_left = min(self.limits.max_locals_per_contract, len(self.module.code) // self.limits.min_contract_size_per_local)
        for type_index in self.module.functions[:count]:
            body = reader.sub_reader()
            size, locals_start = body.end - body.position, body.position
            if size > self.limits.max_function_body_size:
                detail = f"function of {size} bytes, {self.limits.max_function_body_size} are allowed"
                raise CompilationFailed("FunctionBodyTooLarge", detail)
            runs = tuple((body.u32(), body.byte()) for _ in range(body.u32()))
            locals_left -= sum(run[0] for run in runs)
            if locals_left < 0:
                raise CompilationFailed("TooManyLocals", "more locals than a contract of this size may have")
            self.module.bodies.append(Body(type_index, locals_start, body.position, body.end, runs))
