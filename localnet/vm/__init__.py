"""
NEAR's virtual machine: contract wasm on wasmtime, with nearcore's host functions, limits, error texts and gas of protocol 88.

Gas is nearcore's to the unit, but for the nodes of the storage trie, which this chain does not have and charges as none.
"""

from localnet.vm.cache import CacheDirectoryError, default_cache_directory
from localnet.vm.errors import (
    CodeDoesNotExist,
    CompilationFailed,
    HostError,
    LinkError,
    MethodResolveError,
    NotOffered,
    VmError,
    WasmTrap,
)
from localnet.vm.host import NOT_OFFERED, OFFERED
from localnet.vm.machine import Vm
from localnet.vm.prepare import PreparedContract
from localnet.vm.values import (
    CallContext,
    External,
    InputDependency,
    NewReceipt,
    OutputReceiver,
    ReceiptIndex,
    Resume,
    VmOutcome,
)

__all__ = [
    "NOT_OFFERED",
    "OFFERED",
    "CacheDirectoryError",
    "CallContext",
    "CodeDoesNotExist",
    "CompilationFailed",
    "External",
    "HostError",
    "InputDependency",
    "LinkError",
    "MethodResolveError",
    "NewReceipt",
    "NotOffered",
    "OutputReceiver",
    "PreparedContract",
    "ReceiptIndex",
    "Resume",
    "Vm",
    "VmError",
    "VmOutcome",
    "WasmTrap",
    "default_cache_directory",
]
