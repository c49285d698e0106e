"""Registers, and what a contract may know of its call, account and block."""

from localnet.vm.host.call import HostCall
from localnet.vm.host.table import offered


@offered("read_register", "II")
def read_register(call: HostCall, register: int, pointer: int) -> None:
    """Copy a register into memory."""
    call.memory.write(pointer, call.registers.get(register))


@offered("register_len", "I", "I")
def register_len(call: HostCall, register: int) -> int:
    """Tell a register's length; u64::MAX if unset."""
    return call.registers.length(register)


@offered("write_register", "III")
def write_register(call: HostCall, register: int, length: int, pointer: int) -> None:
    """Copy memory into a register."""
    call.registers.set(register, call.memory.read(pointer, length))


@offered("current_account_id", "I")
def current_account_id(call: HostCall, register: int) -> None:
    """Tell who runs the contract."""
    call.registers.set(register, call.context.current_account_id.encode())


@offered("chain_id", "I")
def chain_id(call: HostCall, register: int) -> None:
    """Tell which chain this is."""
    call.registers.set(register, call.context.chain_id.encode())


@offered("signer_account_id", "I", refused_in_view=True)
def signer_account_id(call: HostCall, register: int) -> None:
    """Tell who signed the transaction."""
    call.registers.set(register, call.context.signer_account_id.encode())


@offered("signer_account_pk", "I", refused_in_view=True)
def signer_account_pk(call: HostCall, register: int) -> None:
    """Tell with which key."""
    call.registers.set(register, call.context.signer_public_key)


@offered("predecessor_account_id", "I", refused_in_view=True)
def predecessor_account_id(call: HostCall, register: int) -> None:
    """Tell who sent the receipt."""
    call.registers.set(register, call.context.predecessor_account_id.encode())


@offered("refund_to_account_id", "I", refused_in_view=True)
def refund_to_account_id(call: HostCall, register: int) -> None:
    """Tell who gets deposits back."""
    call.registers.set(register, call.context.refund_to_account_id.encode())


@offered("input", "I")
def input_(call: HostCall, register: int) -> None:
    """Hand over the arguments; their bytes are not charged."""
    call.registers.set(register, call.context.input, charge_bytes=False)


@offered("block_index", "", "I")
def block_index(call: HostCall) -> int:
    """Tell the height."""
    return call.context.block_height


@offered("block_timestamp", "", "I")
def block_timestamp(call: HostCall) -> int:
    """Tell the block's time in nanoseconds."""
    return call.context.block_timestamp_ns


@offered("epoch_height", "", "I")
def epoch_height(call: HostCall) -> int:
    """Tell the epoch."""
    return call.context.epoch_height


@offered("storage_usage", "", "I")
def storage_usage(call: HostCall) -> int:
    """Tell what the account stores, this call's changes in."""
    return call.storage_usage_bytes


@offered("account_balance", "I")
def account_balance(call: HostCall, pointer: int) -> None:
    """Tell the balance, the attached deposit in."""
    call.put_u128(pointer, call.balance_yocto)


@offered("account_locked_balance", "I")
def account_locked_balance(call: HostCall, pointer: int) -> None:
    """Tell what is staked."""
    call.put_u128(pointer, call.context.account_locked_yocto)


@offered("attached_deposit", "I")
def attached_deposit(call: HostCall, pointer: int) -> None:
    """Tell what came with the call."""
    call.put_u128(pointer, call.context.attached_deposit_yocto)


@offered("prepaid_gas", "", "I", refused_in_view=True)
def prepaid_gas(call: HostCall) -> int:
    """Tell the gas that came with the call."""
    return call.context.prepaid_gas


@offered("used_gas", "", "I", refused_in_view=True)
def used_gas(call: HostCall) -> int:
    """Tell what is burnt and reserved so far."""
    return call.gas.used


@offered("random_seed", "I")
def random_seed(call: HostCall, register: int) -> None:
    """Hand over the call's 32 random bytes."""
    call.registers.set(register, call.context.random_seed)


@offered("current_contract_code", "I", "I")
def current_contract_code(call: HostCall, register: int) -> int:
    """Tell the hash of the code; 1: it is the account's own."""
    call.registers.set(register, call.code_hash)
    return 1


@offered("validator_stake", "III")
def validator_stake(call: HostCall, length: int, pointer: int, stake_pointer: int) -> None:
    """Tell an account's stake: nobody validates here, so none."""
    call.get_account_id(pointer, length)
    call.gas.burn(call.parameters.host.validator_stake_base)
    call.put_u128(stake_pointer, 0)


@offered("validator_total_stake", "I", charges=("base", "validator_total_stake_base"))
def validator_total_stake(call: HostCall, stake_pointer: int) -> None:
    """Tell the stake of all: none."""
    call.put_u128(stake_pointer, 0)


@offered("gas", "i", charges=())
def gas(call: HostCall, operations: int) -> None:
    """Burn the gas of instructions that a contract counted itself."""
    call.gas.burn(operations * call.parameters.regular_op_cost)
