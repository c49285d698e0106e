"""
WASI preview 1 for a guest that has input, output, a clock and random bytes, and neither files nor sockets.

It is ours, and not wasmtime's, because each thing a guest learns from outside must pass one place (bounded now, recordable for replay), and
because wasmtime's stdio runs on threads of its own, which a runner process is not to have.

Source: the witx files of WASI `snapshot-01` (wasi_snapshot_preview1) and its application ABI.
"""

from oracle.guest.wasi.link import MODULE_NAME, Link
from oracle.guest.wasi.signatures import SIGNATURES
from oracle.guest.wasi.world import DeadlinePassed, Exited, OutputFull, World

__all__ = ["MODULE_NAME", "SIGNATURES", "DeadlinePassed", "Exited", "Link", "OutputFull", "World"]
