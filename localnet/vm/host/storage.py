"""The contract's storage. Nodes of the trie are not charged: their number is known to a real trie only."""

# ruff: noqa: ARG001, PLR0913, PLR0917 - a host function takes what contracts hand it

from localnet.vm.errors import HostError
from localnet.vm.host.call import HostCall
from localnet.vm.host.table import offered


@offered("storage_write", "IIIII", "I", refused_in_view=True)
def storage_write(call: HostCall, key_length: int, key_pointer: int, value_length: int, value_pointer: int, register: int) -> int:
    """Write a value; an old one goes into the register."""
    costs = call.parameters.host
    call.gas.burn(costs.storage_write_base)
    key = _key(call, key_pointer, key_length)
    value = call.get(value_pointer, value_length)
    size, limit = len(value), call.parameters.limits.max_length_storage_value
    if size > limit:
        text = f"The length of a storage value {size} exceeds the limit {limit}"
        raise HostError("ValueLengthExceeded", text, length=size, limit=limit)
    call.gas.burn_each(costs.storage_write_key_byte * len(key), costs.storage_write_value_byte * size)
    old = call.stored(key)
    if old is None:
        call.storage_changes[key] = value
        call.storage_usage_bytes += len(key) + size + call.parameters.num_extra_bytes_record
        return 0
    call.gas.burn(costs.storage_write_evicted_byte * len(old))
    call.storage_changes[key] = value
    call.storage_usage_bytes += size - len(old)
    call.registers.set(register, old)
    return 1


@offered("storage_read", "III", "I", charges=("base", "storage_read_base"))
def storage_read(call: HostCall, key_length: int, key_pointer: int, register: int) -> int:
    """Read a value into the register."""
    costs = call.parameters.host
    key = _key(call, key_pointer, key_length)
    call.gas.burn(costs.storage_read_key_byte * len(key))
    value = call.stored(key)
    if value is None:
        return 0
    size = len(value)
    call.gas.burn(costs.storage_read_value_byte * size)
    if size > call.parameters.inline_disk_value_threshold:
        call.gas.burn_each(costs.storage_large_read_overhead_base, costs.storage_large_read_overhead_byte * size)
    call.registers.set(register, value)
    return 1


@offered("storage_remove", "III", "I", refused_in_view=True)
def storage_remove(call: HostCall, key_length: int, key_pointer: int, register: int) -> int:
    """Remove a value; it goes into the register."""
    costs = call.parameters.host
    call.gas.burn(costs.storage_remove_base)
    key = _key(call, key_pointer, key_length)
    call.gas.burn(costs.storage_remove_key_byte * len(key))
    value = call.stored(key)
    if value is None:
        return 0
    call.gas.burn(costs.storage_remove_ret_value_byte * len(value))
    call.storage_changes[key] = None
    call.storage_usage_bytes -= len(key) + len(value) + call.parameters.num_extra_bytes_record
    call.registers.set(register, value)
    return 1


@offered("storage_has_key", "II", "I", charges=("base", "storage_has_key_base"))
def storage_has_key(call: HostCall, key_length: int, key_pointer: int) -> int:
    """Tell whether there is a value."""
    key = _key(call, key_pointer, key_length)
    call.gas.burn(call.parameters.host.storage_has_key_byte * len(key))
    return int(call.stored(key) is not None)


@offered("storage_iter_prefix", "II", "I", charges=())
def storage_iter_prefix(call: HostCall, length: int, pointer: int) -> int:
    """Gone from NEAR."""
    raise _deprecated("storage_iter_prefix")


@offered("storage_iter_range", "IIII", "I", charges=())
def storage_iter_range(call: HostCall, start_length: int, start_pointer: int, end_length: int, end_pointer: int) -> int:
    """Gone from NEAR."""
    raise _deprecated("storage_iter_range")


@offered("storage_iter_next", "III", "I", charges=())
def storage_iter_next(call: HostCall, iterator: int, key_register: int, value_register: int) -> int:
    """Gone from NEAR."""
    raise _deprecated("storage_iter_next")


def _deprecated(name: str) -> HostError:
    return HostError("Deprecated", f"Attempted to call deprecated host function {name}", method_name=name)


def _key(call: HostCall, pointer: int, length: int) -> bytes:
    key = call.get(pointer, length)
    size, limit = len(key), call.parameters.limits.max_length_storage_key
    if size > limit:
        text = f"The length of a storage key {size} exceeds the limit {limit}"
        raise HostError("KeyLengthExceeded", text, length=size, limit=limit)
    return key
