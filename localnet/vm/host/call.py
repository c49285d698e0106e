"""The state of one call, as host functions see and change it."""

from localnet.parameters import Fee, Parameters
from localnet.values import account_id as account_ids
from localnet.vm.errors import HostError
from localnet.vm.gas import GasCounter
from localnet.vm.host.memory import IN_REGISTER, Memory, Registers
from localnet.vm.host.promises import Promises
from localnet.vm.values import CallContext, External, ReceiptIndex, Resume


class HostCall:
    """One call from its first host function to its end."""

    def __init__(self, context: CallContext, external: External, parameters: Parameters, code_hash: bytes) -> None:
        self.context, self.external, self.parameters, self.code_hash = context, external, parameters, code_hash
        limits = parameters.limits
        max_burnt = context.prepaid_gas if context.is_view else limits.max_gas_burnt
        self.gas = GasCounter(prepaid=context.prepaid_gas, max_burnt=max_burnt)
        self.memory = Memory(parameters, self.gas)
        self.registers = Registers(parameters, self.gas)
        self.promises = Promises(context, limits)
        self.balance_yocto = context.account_balance_yocto + context.attached_deposit_yocto
        self.subsidized_yocto = 0
        self.storage_usage_bytes = context.storage_usage_bytes
        self.storage_changes: dict[bytes, bytes | None] = {}
        self.logs: list[str] = []
        self.log_bytes = 0
        self.resumes: list[Resume] = []
        self.return_data: bytes | ReceiptIndex | None = None
        self.failure: BaseException | None = None
        """What a host function raised: a VmError ends the call, anything else is raised again behind it."""

    def get(self, pointer: int, length: int) -> bytes:
        """Read from memory, or from the register that `pointer` names."""
        if length == IN_REGISTER:
            return self.registers.get(pointer)
        return self.memory.read(pointer, length)

    def get_u128(self, pointer: int) -> int:
        """Read an amount."""
        return int.from_bytes(self.memory.read(pointer, 16), "little")

    def get_account_id(self, pointer: int, length: int) -> str:
        """
        Read an account id.

        Raises:
            HostError: no UTF-8, or no valid id.
        """
        raw = self.get(pointer, length)
        costs = self.parameters.host
        self.gas.burn_each(costs.utf8_decoding_base, costs.utf8_decoding_byte * len(raw))
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise HostError("BadUTF8", "String encoding is bad UTF-8 sequence.") from error
        if not account_ids.is_valid(text):
            raise HostError("InvalidAccountId", "VM Logic returned an invalid account id")
        return text

    def get_method_name(self, pointer: int, length: int) -> bytes:
        """
        Read a method's name.

        Raises:
            HostError: it is empty.
        """
        name = self.get(pointer, length)
        if not name:
            raise HostError("EmptyMethodName", "Tried to call an empty method name.")
        return name

    @staticmethod
    def text_of_method(name: bytes) -> str:
        """
        A method's name as text, checked where nearcore does: after all is paid.

        Raises:
            HostError: no UTF-8.
        """
        try:
            return name.decode()
        except UnicodeDecodeError as error:
            raise HostError("InvalidMethodName", "VM Logic returned an invalid method name") from error

    def put_u128(self, pointer: int, amount: int) -> None:
        """Write an amount."""
        self.memory.write(pointer, amount.to_bytes(16, "little"))

    def pay(self, fee: Fee, *, sir: bool, units: int = 1) -> None:
        """Burn what an action costs to send and reserve what it costs to execute."""
        self.gas.pay_action(fee.send(sir=sir) * units, fee.execution * units)

    def spend(self, amount_yocto: int) -> None:
        """
        Take a deposit out of the account.

        Raises:
            HostError: it has not that much.
        """
        if amount_yocto > self.balance_yocto:
            raise HostError("BalanceExceeded", "Exceeded the account balance.")
        self.balance_yocto -= amount_yocto

    def spend_on_call(self, amount_yocto: int) -> None:
        """Take a function call's deposit; 1 yoctoNEAR of an empty account is on the house."""
        if amount_yocto == 1 and self.balance_yocto == 0:
            self.subsidized_yocto += 1
        else:
            self.spend(amount_yocto)

    def stored(self, key: bytes) -> bytes | None:
        """The value under a key, with this call's changes."""
        if key in self.storage_changes:
            return self.storage_changes[key]
        return self.external.storage_get(key)

    def knows_yield(self, data_id: bytes) -> bool:
        """Whether a yield waits for this id: of this call, or of an earlier one on the chain."""
        own = any(draft.yield_data_id == data_id for draft in self.promises.drafts)
        return own or self.external.yield_exists(data_id)
