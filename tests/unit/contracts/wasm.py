"""As much of the wasm binary format as a test of artifacts needs (WebAssembly core specification, chapter 5)."""

from dataclasses import dataclass

CUSTOM, IMPORT, EXPORT = 0, 2, 7
FUNCTION = 0


@dataclass(frozen=True)
class Wasm:
    """What a module imports and exports, and the ids of its sections."""

    section_ids: tuple[int, ...]
    imported_modules: frozenset[str]
    exported_functions: frozenset[str]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def name(self) -> str:
        length = self.number()
        self.at += length
        return self.data[self.at - length : self.at].decode()


def parse(data: bytes) -> Wasm:
    """Read a module whose imports are all functions (NEAR takes no others)."""
    assert data[:8] == b"\0asm\1\0\0\0"
    reader = _Reader(data)
    reader.at = 8
    ids, modules, functions = [], set(), set()
    while reader.at < len(data):
        ids.append(reader.byte())
        length = reader.number()
        end = reader.at + length
        if ids[-1] == IMPORT:
            for _ in range(reader.number()):
                modules.add(reader.name())
                name, kind, _type = reader.name(), reader.byte(), reader.number()
                assert kind == FUNCTION, name
        if ids[-1] == EXPORT:
            for _ in range(reader.number()):
                name, kind, _index = reader.name(), reader.byte(), reader.number()
                functions |= {name} if kind == FUNCTION else set()
        reader.at = end
    return Wasm(tuple(ids), frozenset(modules), frozenset(functions))
