"""The bytes of a module, read forward; nothing here trusts a length it was told."""

from localnet.vm.errors import CompilationFailed


def malformed(detail: str) -> CompilationFailed:
    """The error of code that is no wasm a node accepts."""
    return CompilationFailed("Deserialization", detail)


class Reader:
    """A cursor over `data[start:end]`; every read raises CompilationFailed at the end."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = start
        self.end = len(data) if end is None else end

    @property
    def at_end(self) -> bool:
        """Whether all is read."""
        return self.position >= self.end

    def byte(self) -> int:
        """One byte."""
        if self.position >= self.end:
            raise malformed(f"wasm ends inside a section, at byte {self.position}")
        value = self.data[self.position]
        self.position += 1
        return value

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        stop = self.position + count
        if stop > self.end:
            raise malformed(f"{count} bytes announced at byte {self.position}, {self.end - self.position} are left")
        piece = self.data[self.position : stop]
        self.position = stop
        return piece

    def u32(self) -> int:
        """An unsigned LEB128 of at most 32 bits."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 28:
                raise malformed(f"number of more than 32 bits at byte {self.position}")
        if value > 0xFFFFFFFF:
            raise malformed(f"number of more than 32 bits at byte {self.position}")
        return value

    def skip_leb(self) -> None:
        """Pass over a LEB128 of up to 64 bits."""
        for _ in range(10):
            if self.byte() < 0x80:
                return
        raise malformed(f"number of more than 64 bits at byte {self.position}")

    def sub_reader(self) -> "Reader":
        """A reader over the next length-prefixed piece, which this one passes."""
        size = self.u32()
        start = self.position
        if start + size > self.end:
            raise malformed(f"{size} bytes announced at byte {start}, {self.end - start} are left")
        self.position = start + size
        return Reader(self.data, start, start + size)

    def name(self) -> str:
        """A length-prefixed UTF-8 name."""
        raw = self.take(self.u32())
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise malformed(f"name that is no UTF-8 before byte {self.position}") from error


def leb_u(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if not value:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def leb_s(value: int) -> bytes:
    """Signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)
