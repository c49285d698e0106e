"""A call's view of the contract's memory, and its registers."""

import ctypes
from typing import Final

from localnet.parameters import Parameters
from localnet.vm.errors import HostError, memory_access_violation
from localnet.vm.gas import U64_MAX, GasCounter

IN_REGISTER: Final = U64_MAX
"""As a length: the pointer is a register's number."""

_REGISTER_OVERHEAD = 8


class Memory:
    """
    Charged access to the linear memory.

    The host sets `address` once after instantiation (the memory never moves) and `size` on entry of every host function.
    """

    __slots__ = ("address", "costs", "gas", "size")

    def __init__(self, parameters: Parameters, gas: GasCounter) -> None:
        self.costs, self.gas = parameters.host, gas
        self.address = self.size = 0

    def read(self, pointer: int, length: int) -> bytes:
        """
        Copy bytes out.

        Raises:
            HostError: outside the memory, or not enough gas.
        """
        self.gas.burn(self.costs.read_memory_base)
        self.gas.burn_units(self.costs.read_memory_byte, length)
        return self.read_free(pointer, length)

    def read_free(self, pointer: int, length: int) -> bytes:
        """Copy bytes out that are paid for already."""
        if pointer + length > self.size:
            raise memory_access_violation()
        return ctypes.string_at(self.address + pointer, length)

    def write(self, pointer: int, data: bytes) -> None:
        """Copy bytes in."""
        self.gas.burn_each(self.costs.write_memory_base, self.costs.write_memory_byte * len(data))
        if pointer + len(data) > self.size:
            raise memory_access_violation()
        ctypes.memmove(self.address + pointer, data, len(data))


class Registers:
    """Numbered byte strings that host functions hand to each other."""

    __slots__ = ("costs", "gas", "limits", "total", "values")

    def __init__(self, parameters: Parameters, gas: GasCounter) -> None:
        self.costs, self.limits, self.gas = parameters.host, parameters.limits, gas
        self.values: dict[int, bytes] = {}
        self.total = 0

    def get(self, register: int) -> bytes:
        """
        Read a register.

        Raises:
            HostError: it was never set, or not enough gas.
        """
        data = self.values.get(register)
        if data is None:
            text = f"Accessed invalid register id: {register}"
            raise HostError("InvalidRegisterId", text, register_id=register)
        self.gas.burn_each(self.costs.read_register_base, self.costs.read_register_byte * len(data))
        return data

    def length(self, register: int) -> int:
        """A register's length; the largest u64 if it was never set."""
        data = self.values.get(register)
        return U64_MAX if data is None else len(data)

    def set(self, register: int, data: bytes, *, charge_bytes: bool = True) -> None:
        """
        Write a register.

        Raises:
            HostError: over a limit of registers, or not enough gas. (Once as many as are allowed are set, even an old
                one cannot be written anew; that is nearcore's behaviour.)
        """
        length = len(data)
        self.gas.burn_each(self.costs.write_register_base, self.costs.write_register_byte * length if charge_bytes else 0)
        if length > self.limits.max_register_size or len(self.values) >= self.limits.max_number_registers:
            raise memory_access_violation()
        old = self.values.get(register)
        total = self.total + length + _REGISTER_OVERHEAD - (0 if old is None else len(old) + _REGISTER_OVERHEAD)
        if total > self.limits.registers_memory_limit:
            raise memory_access_violation()
        self.total = total
        self.values[register] = data
