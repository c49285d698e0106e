"""
The stage of the demonstration: a local chain in this process with the contracts on it, a worker, and somebody who asks.

Everything goes over HTTP as it does anywhere else; what is made here is gone when the context ends.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import SecretStr

from localnet import NEAR, TGAS, Account, Chain, KeyPair
from localnet.server import serve
from localnet.values.actions import FunctionCall
from localnet.values.base58 import decode as base58_decode
from localnet.values.hashes import CryptoHash
from localnet.values.transaction import Transaction
from oracle.cli.asking import Requester, follow
from oracle.cli.demo_environment import write_environment
from oracle.cli.demo_tee import MachineReady, TrustedMachine, trusted_machine
from oracle.errors import ChainError
from oracle.flows.demo import Asked, Question, Report
from oracle.flows.verify.report import Report as Verified
from oracle.guest.shipped import shipped_guest
from oracle.model import TxHash, YoctoNear
from oracle.near import Contract, Rpc
from oracle.ports import SystemClock
from oracle.settings import GivenSettings, Listen, Settings
from oracle.wiring.chain import Chain as ContractOnChain
from oracle.wiring.worker import Started, run_worker
from register import Told

OUTLAYER, CLIENT, OPERATOR, ASKER = "outlayer.test.near", "client.test.near", "worker.test.near", "alice.test.near"
_GAS = 150 * TGAS
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class ChainReady:
    """The local chain is served."""

    rpc_url: str


@dataclass(frozen=True, slots=True)
class ContractReady:
    """A contract lies on its account."""

    account_id: str
    what: str
    wasm_bytes: int


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """The worker follows the chain."""

    operator_id: str
    api_url: str
    environment_file: str
    """For a shell: settings and keys with which other commands find all this, as long as it runs."""


Ready = ChainReady | MachineReady | ContractReady | Told | WorkerReady
Tell = Callable[[Ready], None]


class Stage:
    """Asks through the example client contract (`AskOnChain`)."""

    def __init__(self, rpc: Rpc, rpc_url: str, worker: WorkerReady, asker_key: KeyPair, machine: TrustedMachine | None) -> None:
        self.environment_file = Path(worker.environment_file)
        self._rpc_url, self._worker_url, self._machine = rpc_url, worker.api_url, machine
        self._rpc = rpc
        self._chain = ContractOnChain(rpc, Contract(rpc, OUTLAYER), OUTLAYER)
        self._key = asker_key
        self._requester = Requester(ASKER, asker_key.secret_key)
        self._nonce = 0

    async def ask(self, question: Question, deposit: YoctoNear) -> Asked:
        """See `AskOnChain`."""
        wasm = shipped_guest(question.guest)
        sha256_hex = "0" * 64 if question.wrong_hash else hashlib.sha256(wasm.read_bytes()).hexdigest()
        arguments = {
            "source": {"WasmUrl": {"url": wasm.as_uri(), "hash": sha256_hex, "build_target": None}},
            "input": question.input_text,
            "resource_limits": {
                "max_instructions": question.limits.max_instructions,
                "max_memory_mb": question.limits.max_memory_mb,
                "max_execution_seconds": question.limits.max_execution_seconds,
            },
        }
        call = FunctionCall("ask", json.dumps(arguments).encode(), _GAS, deposit)
        return Asked(await self._send(call), deposit)

    async def answer(self, asked: Asked) -> Report:
        """See `AskOnChain`."""
        progress = await follow(
            self._chain,
            self._requester,
            asked.transaction_hash,
            until=lambda it: it.value is not None and it.ending is not None,
            clock=SystemClock(),
            timeout_s=_PATIENCE_S,
        )
        if progress is None or progress.ending is None or progress.ending.request_id is None:
            reason = "no answer came in time" if progress is None or progress.failure is None else progress.failure
            raise ChainError(f"transaction {asked.transaction_hash}: {reason}")
        ending = progress.ending
        kept = json.loads(await Contract(self._rpc, CLIENT).view("get_last", {}))
        return Report(
            request_id=progress.ending.request_id,
            status=ending.status,
            output=None if kept["answer"] is None else json.loads(kept["answer"]),
            error=ending.error,
            instructions=ending.instructions,
            time_ms=ending.time_ms,
            charged=ending.charged,
            refunded=ending.refunded,
        )

    async def verify(self, request_id: int) -> Verified | None:
        """What the answer's receipt proves; None without a trusted machine."""
        return None if self._machine is None else await self._machine.verify(request_id, self._rpc_url, self._worker_url, OUTLAYER)

    async def _send(self, call: FunctionCall) -> TxHash:
        block = await self._rpc.final_block()
        if self._nonce == 0:
            params = {"request_type": "view_access_key", "finality": "final", "account_id": ASKER, "public_key": str(self._key.public_key)}
            match await self._rpc.call("query", params):
                case {"nonce": int(nonce)}:
                    self._nonce = nonce
        self._nonce += 1
        transaction = Transaction(
            ASKER, self._key.public_key, self._nonce, CLIENT, CryptoHash(base58_decode(block.block_hash, length=32)), (call,)
        )
        signed = base64.b64encode(transaction.sign(self._key).encoded).decode()
        return TxHash(str(await self._rpc.call("broadcast_tx_async", [signed])))


@asynccontextmanager
async def set_the_stage(home: Path, tell: Tell, *, attested: bool = False) -> AsyncIterator[Stage]:
    """
    Start everything, telling each part as it is ready; end it all with the context.

    `attested`: the worker runs on a simulated trusted machine, and its key comes on chain by a quote.

    Raises:
        ConfigurationError, ChainError, TeeError: the worker could not start.
    """
    async with AsyncExitStack() as stack:
        machine = await stack.enter_async_context(trusted_machine(home)) if attested else None
        chain = stack.enter_context(Chain())
        asker, contracts, of_worker = await asyncio.to_thread(_found, chain, machine)
        server = await stack.enter_async_context(serve(chain))
        tell(ChainReady(server.rpc_url))
        if machine is not None:
            tell(machine.ready)
        for contract in contracts:
            tell(contract)
        given: dict[str, object] = {
            "oracle_home": home,
            "near_network_id": "localnet",
            "near_rpc_url": (SecretStr(server.rpc_url),),
            "neardata_api_url": SecretStr(server.blocks_url),
            "offchainvm_contract_id": OUTLAYER,
            "operator_account_id": OPERATOR,
            "api_listen": Listen("127.0.0.1", 0),
        }
        settings = GivenSettings.model_validate(given | dict(of_worker))
        started = await stack.enter_async_context(_worker(settings, tell))
        environment_file = write_environment(settings.model_copy(update={"api_listen": started.address}), ASKER, asker.key.secret_key)
        worker = WorkerReady(OPERATOR, f"http://{started.address}", str(environment_file))
        tell(worker)
        rpc = await stack.enter_async_context(Rpc((server.rpc_url,), SystemClock()))
        yield Stage(rpc, server.rpc_url, worker, asker.key, machine)


@asynccontextmanager
async def _worker(settings: Settings, tell: Tell) -> AsyncIterator[Started]:
    """A worker beside us; when it fails to start, its reason is ours."""
    stop, listening = asyncio.Event(), asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_worker(settings, stop, listening.set_result, registering=tell))
    try:
        await asyncio.wait({running, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            await running
        yield listening.result()
    finally:
        stop.set()
        await running


def _found(chain: Chain, machine: TrustedMachine | None) -> tuple[Account, list[ContractReady], Mapping[str, object]]:
    """Accounts and contracts, on a chain that nobody serves yet; who asks, what stands, and the worker's settings that follow from it."""
    operator, asker = (chain.root.create_account(name, balance_yocto=100 * NEAR) for name in (OPERATOR, ASKER))
    ready = []
    for account_id, name, what, arguments in (
        (OUTLAYER, "outlayer", "the main contract", {"owner_id": chain.root.account_id, "operator_id": OPERATOR}),
        (CLIENT, "example_client", "the example client", {"oracle_id": OUTLAYER, "source": None}),
    ):
        wasm = (resources.files("localnet") / "contracts" / f"{name}.wasm").read_bytes()
        chain.root.create_account(account_id, balance_yocto=50 * NEAR).deploy(wasm, "new", dict(arguments))
        ready.append(ContractReady(account_id, what, len(wasm)))
    if machine is None:
        return asker, ready, {"operator_private_key": (SecretStr(operator.key.secret_key),)}
    payer, wasm_bytes = machine.found(chain, operator, OUTLAYER)
    ready.append(ContractReady(OPERATOR, "the register contract", wasm_bytes))
    return asker, ready, machine.settings(OPERATOR, payer)
