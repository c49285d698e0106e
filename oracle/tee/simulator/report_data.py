"""
What the 0.3 interface makes of the data it is given: a hash under a tag, or the data itself.

Source: dstack's `QuoteContentType::to_report_data_with_hash`.
"""

import hashlib
from collections.abc import Callable

from oracle.tee.simulator.keccak import keccak
from oracle.tee.simulator.machine import MachineRefused
from oracle.tee.simulator.reports import REPORT_DATA_BYTES

RAW = "raw"
DEFAULT_HASH = "sha512"
APP_DATA = "app-data"
_HASHES: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha384": lambda data: hashlib.sha384(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "sha3-256": lambda data: hashlib.sha3_256(data).digest(),
    "sha3-384": lambda data: hashlib.sha3_384(data).digest(),
    "sha3-512": lambda data: hashlib.sha3_512(data).digest(),
    "keccak256": lambda data: keccak(data, 32),
    "keccak384": lambda data: keccak(data, 48),
    "keccak512": lambda data: keccak(data, 64),
}


def hashed_report_data(data: bytes, algorithm: str, tag: str) -> bytes:
    """
    64 bytes: the hash of `tag:data` filled up with zeros, or with `raw` the data as it is.

    Raises:
        MachineRefused: an unknown algorithm, or raw data that is not 64 bytes long.
    """
    if algorithm == RAW:
        if len(data) != REPORT_DATA_BYTES:
            raise MachineRefused("invalid content length")
        return data
    if algorithm not in _HASHES:
        raise MachineRefused("invalid hash algorithm")
    return _HASHES[algorithm](tag.encode() + b":" + data).ljust(REPORT_DATA_BYTES, b"\0")
