"""
A JSON-RPC client and a signer that share no code with the worker: transactions are built by py-near.

The client retries while nobody listens, because tests kill the chain under it.
"""

import asyncio
import base64
import io
import json
import time
from dataclasses import dataclass, field

import aiohttp
import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from py_near import transactions as near

TGAS = 10**12
NEAR = 10**24


class RpcError(Exception):
    """The node answered with an error object."""

    def __init__(self, error):
        super().__init__(json.dumps(error)[:2000])
        self.error = error


@dataclass
class Signer:
    """An account and its key; nonces are counted here."""

    account_id: str
    seed: bytes
    nonce: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def named(cls, account_id):
        """A signer whose key follows from its name: tests need no secrets."""
        return cls(account_id, f"{account_id:_<32}".encode()[:32])

    @classmethod
    def from_secret_key(cls, account_id, secret_key):
        return cls(account_id, base58.b58decode(secret_key.removeprefix("ed25519:"))[:32])

    @property
    def public_bytes(self):
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def public_key(self):
        return "ed25519:" + base58.b58encode(self.public_bytes).decode()

    @property
    def secret_key(self):
        return "ed25519:" + base58.b58encode(self.seed + self.public_bytes).decode()


class Client:
    """One HTTP session to one node."""

    def __init__(self, rpc_url, patience_s=30.0):
        self.rpc_url, self.patience_s = rpc_url, patience_s
        self._session = None

    async def __aenter__(self):
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), connector=aiohttp.TCPConnector(limit=64))
        return self

    async def __aexit__(self, *_):
        await self._session.close()

    async def rpc(self, method, params):
        """The result; connection trouble is waited out."""
        until = time.monotonic() + self.patience_s
        while True:
            try:
                body = {"jsonrpc": "2.0", "id": "t", "method": method, "params": params}
                # A file, for a contract's code is more than aiohttp takes as bytes without a warning.
                sent = io.BytesIO(json.dumps(body).encode())
                async with self._session.post(self.rpc_url, data=sent, headers={"Content-Type": "application/json"}) as response:
                    answer = await response.json()
                break
            except (aiohttp.ClientError, TimeoutError):
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.05)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    async def view(self, contract_id, method, **args):
        params = {
            "request_type": "call_function",
            "finality": "final",
            "account_id": contract_id,
            "method_name": method,
            "args_base64": base64.b64encode(json.dumps(args).encode()).decode(),
        }
        result = await self.rpc("query", params)
        if "error" in result:
            raise RpcError(result["error"])
        return json.loads(bytes(result["result"])) if result["result"] else None

    async def account(self, account_id):
        return await self.rpc("query", {"request_type": "view_account", "finality": "final", "account_id": account_id})

    async def sign(self, signer, receiver_id, actions):
        """Signed transaction in base64, with the next nonce."""
        status = await self.rpc("status", [])
        block_hash = base58.b58decode(status["sync_info"]["latest_block_hash"])
        if signer.nonce == 0:
            params = {
                "request_type": "view_access_key",
                "finality": "final",
                "account_id": signer.account_id,
                "public_key": signer.public_key,
            }
            signer.nonce = (await self.rpc("query", params))["nonce"]
        signer.nonce += 1
        key = signer.seed + signer.public_bytes
        return near.sign_and_serialize_transaction(signer.account_id, key, receiver_id, signer.nonce, actions, block_hash)

    async def send(self, signer, receiver_id, actions, wait_until="INCLUDED"):
        async with signer.lock:
            signed = await self.sign(signer, receiver_id, actions)
            return await self.rpc("send_tx", {"signed_tx_base64": signed, "wait_until": wait_until})

    async def commit(self, signer, receiver_id, actions):
        """Run to the end; an assertion shows the failure."""
        outcome = await self.send(signer, receiver_id, actions, wait_until="FINAL")
        assert "SuccessValue" in outcome["status"], json.dumps(outcome["status"])
        return outcome


def call(method, args=None, *, deposit=0, gas=300 * TGAS):
    """A FunctionCall action with JSON arguments."""
    return near.create_function_call_action(method, json.dumps(args or {}).encode(), gas, deposit)


def new_account(signer, balance, code=None, init=None):
    """The actions that make an account, give it money and its key, and may deploy and start a contract on it."""
    actions = [
        near.create_create_account_action(),
        near.create_transfer_action(balance),
        near.create_full_access_key_action(signer.public_bytes),
    ]
    if code is not None:
        actions.append(near.create_deploy_contract_action(code))
    if init is not None:
        actions.append(call("new", init, gas=50 * TGAS))
    return actions
