"""What a worker in TEE mode has besides: a registered key of its own, looked after while it works, and nodes that must agree."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from oracle.errors import ChainError, TeeUnavailable
from oracle.near import ChainSender, Contract, Rpc, SigningKey
from oracle.near.agreed import AgreedContract, AgreedSender, AgreedStream
from oracle.near.agreement import Agreement, Node
from oracle.ports import Clock, ReadContract, StoreJobs, SubmitAnswers, SystemClock, WatchChain
from oracle.settings import Settings, redacted_url
from oracle.tee.late import LateQuotes
from oracle.wiring.hardening import harden_process
from oracle.wiring.tee import Machine, Trust, independent_nodes, open_machine, registrar_of
from register import AnswersWhileRegistered, Keeper, Registrar, Registration, Tell, Told

_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Attested:
    """A machine, the key it has on chain, and what nodes agree on (None: the policy trusts one)."""

    machine: Machine
    key: SigningKey
    registrar: Registrar
    registration: Registration
    agreement: Agreement | None

    def contract(self, inner: ReadContract) -> ReadContract:
        """Requests as nodes agree on them."""
        return inner if self.agreement is None else AgreedContract(inner, self.agreement)

    def stream(self, inner: WatchChain, clock: Clock) -> WatchChain:
        """Blocks without requests that nodes do not agree on."""
        return inner if self.agreement is None else AgreedStream(inner, self.agreement, clock)

    def sender(self, inner: ChainSender, store: StoreJobs, late: LateQuotes) -> "Guarded":
        """Answers only while the key is registered, and to requests that nodes agree on; receipts without a quote are remembered."""
        inner.recorded = late.take
        keeper = Keeper(self.registrar, self.key, self.registration, inner.forget_nonces)
        send: SubmitAnswers = AnswersWhileRegistered(inner, keeper)
        return Guarded(send if self.agreement is None else AgreedSender(send, self.agreement, store), keeper, self.machine, late)


@dataclass(frozen=True, slots=True)
class Guarded:
    """How answers go out, and who looks after the key they are signed with and after the quotes that their receipts still lack."""

    send: SubmitAnswers
    keeper: Keeper
    machine: Machine
    late: LateQuotes

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Look after key and quotes while the block runs."""
        task = asyncio.create_task(self.keeper.run())
        try:
            async with self.late.quoting():
                yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def attest(settings: Settings, trust: Trust, rpc: Rpc, stack: AsyncExitStack, tell: Tell) -> Attested:
    """
    Make a key, and bring it on chain, telling each step; socket, collateral and chain are waited for.

    Raises:
        EvidenceRefused, RegistrationRefused: this machine, or this software, does not get a key on chain.
        ConfigurationError: the settings do not fit the contract.
    """
    harden_process()
    clock = SystemClock()
    if trust.root.is_test:
        _log.warning("test_root", root_sha256=trust.root.sha256_hex, meaning="quotes and receipts prove nothing about any hardware")
    machine = await stack.enter_async_context(open_machine(settings, trust))
    registrar = registrar_of(settings, trust, machine, rpc, tell)
    key = SigningKey.generate(registrar.plan.register_account_id)
    registration = await _patiently(lambda: registrar.register(key), clock)
    _log.info("registered", public_key=key.public_key, expires_at_ns=registration.expires_at_ns, rtmr3=registration.rtmr3_hex)
    agreement = None
    if trust.policy.two_nodes:
        agreement = Agreement(await _nodes(independent_nodes(settings), settings.offchainvm_contract_id, clock, stack), clock)
    return Attested(machine, key, registrar, registration, agreement)


async def _nodes(urls: Sequence[str], contract_id: str, clock: Clock, stack: AsyncExitStack) -> list[Node]:
    """Each with a client of its own: one that falls back on others would speak for them."""
    return [Node(redacted_url(url), Contract(await stack.enter_async_context(Rpc((url,), clock)), contract_id)) for url in urls]


def log_registration(told: Told) -> None:
    """One line of the log for each step."""
    _log.info("registration", step=told.step.value, told=told.sentence)


async def _patiently(register: Callable[[], Awaitable[Registration]], clock: Clock) -> Registration:
    attempt = 0
    while True:
        try:
            return await register()
        except (ChainError, TeeUnavailable) as error:
            wait_s = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
            _log.warning("registration_waits", reason=str(error), again_in_s=wait_s)
        await clock.sleep(wait_s)
        attempt += 1
