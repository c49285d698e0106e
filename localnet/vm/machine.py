"""Runs contract calls."""

import threading
from pathlib import Path
from typing import Final

import wasmtime

from localnet.parameters import Parameters, parameters
from localnet.vm.cache import CodeCache
from localnet.vm.engine import running_engine, validating_engine
from localnet.vm.errors import CompilationFailed, MethodResolveError, VmError, WasmTrap, gas_exceeded, memory_access_violation
from localnet.vm.host import HostCall
from localnet.vm.link import Host
from localnet.vm.native import EngineRefused, RawInstance
from localnet.vm.prepare import PreparedContract
from localnet.vm.values import CallContext, External, VmOutcome
from localnet.vm.wasm.rewrite import METHOD_PREFIX, START_EXPORT

_TRAPS: Final = {
    wasmtime.TrapCode.STACK_OVERFLOW: "StackOverflow",
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: "MemoryOutOfBounds",
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: "MemoryOutOfBounds",
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: "IndirectCallToNull",
    wasmtime.TrapCode.BAD_SIGNATURE: "IncorrectCallIndirectSignature",
    wasmtime.TrapCode.INTEGER_OVERFLOW: "IllegalArithmetic",
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: "IllegalArithmetic",
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: "IllegalArithmetic",
    wasmtime.TrapCode.UNREACHABLE: "Unreachable",
}


class Vm:
    """
    Runs contracts with nearcore's gas.

    One call runs at a time; others wait. Host functions work for the call that runs.
    """

    def __init__(self, *, cache_directory: Path | None = None, figures: Parameters | None = None) -> None:
        """
        Args:
            cache_directory: where compiled code outlives the process (`default_cache_directory()`); None: in memory only.
            figures: another protocol version's parameters.

        Raises:
            CacheDirectoryError: others could write into the directory.
        """
        self.parameters = figures or parameters()
        self._engine = running_engine(self.parameters.limits)
        self._host = Host(self._engine, self.parameters.host)
        self._cache = CodeCache(self.parameters, validating_engine(), self._host.linker, directory=cache_directory)
        self._lock = threading.Lock()

    def prepare(self, code: bytes, code_hash: bytes | None = None) -> PreparedContract:
        """Compile ahead of the first call; code a node would refuse comes back with its failure."""
        with self._lock:
            return self._cache.prepare(code, code_hash)

    def run(
        self,
        code: bytes,
        method_name: str,
        context: CallContext,
        external: External,
        *,
        code_hash: bytes | None = None,
    ) -> VmOutcome:
        """
        Call a method.

        Args:
            code: the account's contract.
            method_name: an exported function without parameters and results.
            context: what the contract can learn.
            external: the account's storage and yields.
            code_hash: sha256 of the code, if it is known.

        Returns:
            What the call did; whatever the contract did wrong is the outcome's `error`.
        """
        with self._lock:
            contract = self._cache.prepare(code, code_hash)
            call = HostCall(context, external, self.parameters, contract.code_hash)
            try:
                self._execute(contract, method_name, call)
            except VmError as error:
                return _failed(call, error)
            return _succeeded(call)

    def _execute(self, contract: PreparedContract, method: str, call: HostCall) -> None:
        """Raises a VmError with nearcore's gas on the counter; order of checks and charges as in its `prepare` and `run`."""
        if not method:
            raise MethodResolveError("MethodEmptyName")
        if isinstance(contract.failure, CompilationFailed):
            raise contract.failure
        costs = self.parameters.host
        try:
            call.gas.burn_each(costs.contract_loading_bytes * contract.code_bytes, costs.contract_loading_base)
        except VmError as error:
            raise gas_exceeded() from error
        if contract.failure is not None or contract.pre is None:
            raise contract.failure or CompilationFailed("Serialization", "nothing was compiled")
        try:
            contract.resolve(method)
        except MethodResolveError:
            call.gas.burnt = 0  # protocol 88 still gives a missing method away
            raise
        self._run_wasm(contract, contract.pre, method, call)

    def _run_wasm(self, contract: PreparedContract, pre: wasmtime.InstancePre, method: str, call: HostCall) -> None:
        limit = self.parameters.limits.max_elements_per_contract_table
        try:
            instance = RawInstance(self._engine, pre, limit)
        except EngineRefused as refused:
            raise _trap(refused.trap_code) from refused
        try:
            call.memory.address = instance.address
            self._host.call = call
            instance.gas = call.gas.remaining
            if contract.has_start:
                _run_export(instance, START_EXPORT, call)
            _run_export(instance, METHOD_PREFIX + method, call)
        finally:
            self._host.call = None
            instance.close()


def _run_export(instance: RawInstance, export: str, call: HostCall) -> None:
    ended = instance.call(export)
    if call.failure is not None:
        raise call.failure
    remaining = instance.gas
    if remaining < 0:
        raise call.gas.exhausted_in_wasm(remaining)
    call.gas.burnt = call.gas.limit - remaining
    if ended.is_normal:
        return
    if instance.stack < 0:
        raise memory_access_violation()
    if ended.message is not None:
        raise EngineRefused(ended.message, None)
    raise _trap(ended.trap_code)


def _trap(code: wasmtime.TrapCode | None) -> WasmTrap:
    return WasmTrap(_TRAPS.get(code, "GenericTrap") if code is not None else "GenericTrap")


def _failed(call: HostCall, error: VmError) -> VmOutcome:
    context = call.context
    return VmOutcome(
        error=error,
        balance_yocto=context.account_balance_yocto + context.attached_deposit_yocto,
        storage_usage_bytes=context.storage_usage_bytes,
        return_data=None,
        burnt_gas=call.gas.burnt,
        used_gas=call.gas.used,
        logs=tuple(call.logs),
        storage_changes={},
        receipts=(),
        resumes=(),
    )


def _succeeded(call: HostCall) -> VmOutcome:
    given = 0 if call.context.is_view else call.promises.share_out(max(0, call.gas.prepaid - call.gas.used))
    return VmOutcome(
        error=None,
        balance_yocto=call.balance_yocto,
        storage_usage_bytes=call.storage_usage_bytes,
        return_data=call.return_data,
        burnt_gas=call.gas.burnt,
        used_gas=call.gas.used + given,
        logs=tuple(call.logs),
        storage_changes=call.storage_changes,
        receipts=call.promises.finished(),
        resumes=tuple(call.resumes),
        subsidized_yocto=call.subsidized_yocto,
    )
