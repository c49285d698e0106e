"""A worker's key as the chain has it on the operator's account."""

from dataclasses import dataclass

from oracle.errors import RpcUnavailable
from oracle.model import YoctoNear
from oracle.near import Rpc
from oracle.near.rpc_errors import AccessKeyUnknown, AccountUnknown
from register.errors import RegistrationRefused

METHODS = ("resolve_execution", "submit_execution_output", "submit_execution_output_and_resolve", "extend_execution")
"""What a registered key may call (PROTOCOL, "Register contract")."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A function-call key. `allowance_yocto`: what it may still spend on gas; None is no limit."""

    receiver_id: str
    methods: tuple[str, ...]
    allowance_yocto: YoctoNear | None

    def check_may_answer(self, contract_id: str) -> None:
        """
        Compare with what a worker needs.

        Raises:
            RegistrationRefused: it may call another contract, or not all methods.
        """
        if self.receiver_id != contract_id:
            raise RegistrationRefused(f"the key may call {self.receiver_id}, and the main contract is {contract_id}")
        missing = [method for method in METHODS if self.methods and method not in self.methods]
        if missing:
            raise RegistrationRefused(f"the key may not call {', '.join(missing)}")


async def find_access_key(rpc: Rpc, account_id: str, public_key: str) -> AccessKey | None:
    """
    Look for a function-call key in the final state; None where the account has no such key.

    Raises:
        ChainError: no node answers, or with what cannot be read.
    """
    params = {"request_type": "view_access_key", "finality": "final", "account_id": account_id, "public_key": public_key}
    try:
        answer = await rpc.call("query", params)
    except (AccessKeyUnknown, AccountUnknown):
        return None
    match answer:
        case {"error": str()}:
            return None
        case {"permission": {"FunctionCall": {"receiver_id": str(receiver_id), "method_names": list(methods), **rest}}}:
            allowance = rest.get("allowance")
            return AccessKey(receiver_id, tuple(map(str, methods)), None if allowance is None else YoctoNear(int(str(allowance))))
    raise RpcUnavailable(f"the node's answer about the key {public_key} cannot be read")
