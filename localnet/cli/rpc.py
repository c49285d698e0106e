"""Speaking to a running chain, over JSON-RPC like any client."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from localnet.cli.group import Failed, Refused
from localnet.cli.key_file import AccountKeyFile
from localnet.values.actions import Action
from localnet.values.hashes import hash_from_text
from localnet.values.transaction import Transaction

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class RunningChain:
    """A chain that is served at a URL."""

    rpc_url: str

    def call(self, method: str, params: Any) -> Any:
        """
        Call a method.

        Raises:
            Refused: nothing answers there.
            Failed: the chain answers with an error.
        """
        if not self.rpc_url.startswith(("http://", "https://")):
            raise Refused(f"--rpc-url is {self.rpc_url!r}; an http:// address is wanted")
        body = json.dumps({"jsonrpc": "2.0", "id": "localnet", "method": method, "params": params}).encode()
        request = urllib.request.Request(self.rpc_url, body, {"Content-Type": "application/json"})  # noqa: S310 (scheme checked above)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310 (scheme checked above)
                answer = json.load(response)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise Refused(
                f"no chain answers at {self.rpc_url} ({reason}); start one with `localnet run`, or name it with --rpc-url"
            ) from error
        if "error" in answer or "error" in answer["result"]:
            raise Failed(f"{method}: {_in_words(answer.get('error') or answer['result'])}")
        return answer["result"]

    def send(self, signer: AccountKeyFile, receiver_id: str, actions: tuple[Action, ...]) -> Any:
        """
        Sign a transaction and wait for its end; gives the final outcome.

        Raises:
            Failed: the chain refused it, or it failed.
        """
        public_key = signer.key.public_key
        query = {"request_type": "view_access_key", "finality": "final", "account_id": signer.account_id, "public_key": str(public_key)}
        access_key = self.call("query", query)
        block_hash = hash_from_text(access_key["block_hash"])
        transaction = Transaction(signer.account_id, public_key, access_key["nonce"] + 1, receiver_id, block_hash, actions)
        signed = b64encode(transaction.sign(signer.key).encoded).decode()
        outcome = self.call("send_tx", {"signed_tx_base64": signed, "wait_until": "FINAL"})
        if "Failure" in outcome["status"]:
            raise Failed(f"transaction {outcome['transaction']['hash']} failed: {json.dumps(outcome['status']['Failure'])}")
        return outcome


def _in_words(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    data = error.get("data", error.get("error"))
    return data if isinstance(data, str) else json.dumps(data)
