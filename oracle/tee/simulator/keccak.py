"""
Keccak with its original padding, which Ethereum and dstack hash with and which `hashlib` does not have (SHA-3 pads otherwise).

Slow, some 0.2 ms a block: for short messages only. Source: the Keccak reference, version 3.0, 1.2; the constants are made as it says.
"""

_MASK = (1 << 64) - 1
_STATE_BYTES = 200


def keccak(message: bytes, digest_bytes: int = 32) -> bytes:
    """Keccak-256 for 32 bytes; 48 and 64 give its longer siblings."""
    rate = _STATE_BYTES - 2 * digest_bytes
    padded = bytearray(message + b"\x01")
    padded += bytes(-len(padded) % rate)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for lane in range(rate // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes)[:digest_bytes]


def _round_constants() -> list[int]:
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            constant ^= (register & 1) << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


_ROUND_CONSTANTS = _round_constants()


def _permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600]; lane (x, y) is at x + 5y."""
    for constant in _ROUND_CONSTANTS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [lanes[i] ^ columns[(i % 5 + 4) % 5] ^ _rotate(columns[(i % 5 + 1) % 5], 1) for i in range(25)]
        moved, x, y = [mixed[0]] * 25, 1, 0
        for step in range(24):
            x_next, y_next = y, (2 * x + 3 * y) % 5
            moved[x_next + 5 * y_next] = _rotate(mixed[x + 5 * y], (step + 1) * (step + 2) // 2 % 64)
            x, y = x_next, y_next
        lanes = [moved[i] ^ (~moved[i - i % 5 + (i % 5 + 1) % 5] & moved[i - i % 5 + (i % 5 + 2) % 5] & _MASK) for i in range(25)]
        lanes[0] ^= constant
    return lanes


def _rotate(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK
