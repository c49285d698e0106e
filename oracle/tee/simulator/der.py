"""The little of DER (X.690) that Intel's SGX extension of a PCK certificate is made of."""


def tagged(tag: int, content: bytes) -> bytes:
    """One value: tag, length in its shortest form, content."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*values: bytes) -> bytes:
    """SEQUENCE of encoded values."""
    return tagged(0x30, b"".join(values))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tagged(0x04, value)


def integer(value: int) -> bytes:
    """INTEGER, not negative: a leading zero where the top bit is set."""
    return tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def enumerated(value: int) -> bytes:
    """ENUMERATED, not negative."""
    return tagged(0x0A, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean(value: bool) -> bytes:  # noqa: FBT001  the value is what is encoded
    """BOOLEAN."""
    return tagged(0x01, b"\xff" if value else b"\x00")


def oid(text: str) -> bytes:
    """OBJECT IDENTIFIER in dotted form."""
    first, second, *rest = (int(arc) for arc in text.split("."))
    return tagged(0x06, b"".join(map(_base128, (first * 40 + second, *rest))))


def _base128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(0x80 | (arc & 0x7F))
    return bytes(reversed(digits))
