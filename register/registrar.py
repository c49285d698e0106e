"""
From a key in memory to a key on chain.

1. A recent block's time makes the quote fresh.
2. The quote binds key, contracts, time and settings; with its collateral it is verified here, by the rules that the contract applies.
3. The contract's views say whether it would take it.
4. The registration is sent: with the collateral stored in the contract where that still serves, else with our own.
5. The key is looked for on the account, with the rights it has to have.

Where the contract lets anybody register, somebody who sees the transaction on its way may send what is in it first; ours then fails, and
the key is on the account all the same. So a refusal counts only when the chain does not have this very registration. And workers that
start together each bring collateral, of which the older is refused once the newer is there: then the same quote goes with what is there.
"""

import json
from dataclasses import dataclass, field, replace

from oracle.errors import EvidenceRefused, RpcUnavailable
from oracle.model import YoctoNear, format_near
from oracle.near import SigningKey
from oracle.near.keys import Call
from oracle.tee.collateral import Collateral
from register.access import AccessKey, find_access_key
from register.binding import Context
from register.block_time import BlockTimes
from register.contract import ContractPolicy, RegisterContract, Registered
from register.errors import CallFailed, RegistrationRefused
from register.evidence import Evidence, Witness
from register.plan import Plan
from register.preview import collateral_refusal, preview
from register.submission import Payer
from register.telling import Step, Tell, Told

TGAS = 10**12
GAS = 250 * TGAS
"""A registration burns about 130; the contract wants 200 attached (docs/register-contract.md)."""
SWEEP_GAS = 30 * TGAS
OLD_BLOCK_S = 300
"""Half of what the contract takes: a block older than this makes no fresh quote."""
_ON_ACCOUNT_S, _LOOK_EVERY_S = 20.0, 0.1


@dataclass(frozen=True, slots=True)
class Registration:
    """A key that may answer. `lifetime_s`: how long it was registered for, from the block time in its quote."""

    public_key: str
    expires_at_ns: int
    lifetime_s: int
    allowance_yocto: YoctoNear | None
    rtmr3_hex: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a submission needs; `stored`: the contract has collateral that serves."""

    key: SigningKey
    context: Context
    evidence: Evidence
    policy: ContractPolicy
    stored: bool
    deposit_yocto: int = field(default=0)


class Registrar:
    """Registers keys of this machine."""

    def __init__(self, plan: Plan, witness: Witness, payer: Payer, tell: Tell, times: BlockTimes | None = None) -> None:
        """`times`: whose word counts for the time of a block; None: that of the nodes that the payer uses."""
        self.plan, self.rpc, self.clock = plan, payer.rpc, payer.clock
        self._times = times or BlockTimes(payer.rpc, payer.clock)
        self.contract = RegisterContract(payer.rpc, plan.register_account_id)
        self._witness, self._payer, self._tell = witness, payer, tell

    async def register(self, key: SigningKey) -> Registration:
        """
        Register a key, or renew it where it is registered already.

        Raises:
            TeeUnavailable, ChainError: trouble that may pass.
            EvidenceRefused: the quote, its log or the collateral is refused here.
            RegistrationRefused: the contract refuses.
            ConfigurationError: the contract is not the one that the settings mean.
        """
        return await self.submit(await self.prepare(key))

    async def prepare(self, key: SigningKey, *, fresh: bool = True) -> Prepared:
        """Everything but the submission; `fresh` False spends nothing, also where a chain that stands still has only an old block."""
        seen_ns = await self._seen_block_time_ns(fresh=fresh)
        context = Context(self.plan.register_account_id, self.plan.main_contract_id, seen_ns, bytes.fromhex(self.plan.settings_sha256_hex))
        at_s = max(seen_ns, self.clock.now_ns()) // 10**9
        evidence = await self._witness.evidence(context.report_data(key.public_bytes), at_s, self._tell)
        policy = await preview(self.contract, self.plan, self._witness.judge.root, key.public_key, evidence)
        stored = await self._stored_serves(evidence, policy)
        deposit_yocto = await self.contract.deposit_yocto(None if stored else evidence.collateral)
        await self._payer.check_can_pay(deposit_yocto)
        self._tell(_contract_told(self.contract.account_id, deposit_yocto, stored=stored))
        return Prepared(key, context, evidence, policy, stored, deposit_yocto)

    async def check_payer(self) -> None:
        """
        Look whether the account that pays could pay for a registration by itself.

        Raises:
            RegistrationRefused: it could not.
        """
        await self._payer.check_can_pay(await self.contract.deposit_yocto(None))

    async def submit(self, prepared: Prepared) -> Registration:
        """Send what was prepared, and wait until the key is on the account."""
        try:
            transaction_hash = await self._payer.call(await self._call(prepared))
            sentence = f"transaction {transaction_hash}, paid by {self._payer.account_id}"
        except CallFailed as refusal:
            if not await self._was_sent_before(prepared):
                if prepared.stored or not await self._stored_serves(prepared.evidence, prepared.policy):
                    raise
                return await self.submit(replace(prepared, stored=True, deposit_yocto=await self.contract.deposit_yocto(None)))
            transaction_hash = refusal.transaction_hash
            sentence = f"the chain has this very registration already, somebody was faster than {refusal}"
        sent = (("transaction_hash", str(transaction_hash)), ("signer_id", self._payer.account_id))
        self._tell(Told(Step.SUBMISSION, sentence, sent))
        rtmr3_hex = prepared.evidence.measurements.rtmr3.hex()
        self._tell(Told(Step.RTMR3, rtmr3_hex, (("rtmr3", rtmr3_hex),)))
        registered, access = await self._on_account(prepared.key.public_key)
        left = "without limit" if access.allowance_yocto is None else f"with {format_near(access.allowance_yocto)} for gas"
        known = (("public_key", registered.public_key), ("expires_at_ns", str(registered.expires_at_ns)))
        self._tell(Told(Step.AUTHORISED, f"{registered.public_key} may answer for {self.plan.main_contract_id}, {left}", known))
        return Registration(registered.public_key, registered.expires_at_ns, prepared.policy.lifetime_s, access.allowance_yocto, rtmr3_hex)

    async def _was_sent_before(self, prepared: Prepared) -> bool:
        """Whether the contract has what this quote would have registered: by it, or by a newer one of the same key."""
        await self._until_final((await self.rpc.newest_block()).height)
        found = await self.contract.worker(public_key=prepared.key.public_key)
        return (
            found is not None
            and not found.expired
            and found.measured == prepared.evidence.measurements.hex_fields()
            and found.settings_sha256_hex == self.plan.settings_sha256_hex
            and found.seen_block_time_ns >= prepared.context.seen_block_time_ns
        )

    async def _until_final(self, height: int) -> None:
        """A failure is told before its block is final, and views are of the final state."""
        until_s = self.clock.monotonic_s() + _ON_ACCOUNT_S
        while (await self.rpc.final_block()).height < height:
            if self.clock.monotonic_s() > until_s:
                raise RpcUnavailable(f"block {height} is not final after {_ON_ACCOUNT_S:g} seconds: the chain stands, or the node lags")
            await self.clock.sleep(_LOOK_EVERY_S)

    async def _seen_block_time_ns(self, *, fresh: bool) -> int:
        newest_ns = await self._times.newest_ns()
        ahead_s = -self._age_s(newest_ns)
        if ahead_s > OLD_BLOCK_S and not self.plan.local_chain:  # who gets a quote over a time to come may register with it then
            raise RpcUnavailable(f"the newest final block is {ahead_s:,.0f} s ahead of this machine's clock: one of them is wrong")
        if not fresh or self._age_s(newest_ns) <= OLD_BLOCK_S:
            return newest_ns
        # An idle chain may make no blocks; this call of anybody's makes one, and does the contract a service.
        arguments = json.dumps({"limit": 1}).encode()
        await self._payer.call(Call(self.plan.register_account_id, "remove_expired", arguments, SWEEP_GAS))
        newest_ns = await self._times.newest_ns()
        if self._age_s(newest_ns) > OLD_BLOCK_S:
            raise RpcUnavailable(
                f"the newest final block is {self._age_s(newest_ns):,.0f} s old: the node lags, or this machine's clock is ahead"
            )
        return newest_ns

    def _age_s(self, timestamp_ns: int) -> float:
        return (self.clock.now_ns() - timestamp_ns) / 1e9

    async def _stored_serves(self, evidence: Evidence, policy: ContractPolicy) -> bool:
        """Whether the collateral that the contract has verifies this quote as well, by our rules and its own."""
        stored = await self.contract.collateral(evidence.collateral.fmspc)
        if stored is None or collateral_refusal(policy, stored, evidence.at_s) is not None:
            return False
        try:
            self._witness.judge.check(evidence.quote, stored, evidence.at_s, evidence.identity)
        except EvidenceRefused:
            return False
        return True

    async def _call(self, prepared: Prepared) -> Call:
        evidence, quote_hex = prepared.evidence, prepared.evidence.quote.hex()
        bound: dict[str, object] = {
            "public_key": prepared.key.public_key,
            "seen_block_time": str(prepared.context.seen_block_time_ns),
            "settings_sha256_hex": self.plan.settings_sha256_hex,
        }
        if prepared.stored:
            method, arguments = "register_worker_key", {**bound, "tdx_quote_hex": quote_hex}
        else:
            method, arguments = "register_worker", {**bound, "tdx_quote": quote_hex, "collateral": _parts(evidence.collateral)}
        gas = max(GAS, await self.contract.minimum_gas())
        return Call(self.plan.register_account_id, method, json.dumps(arguments).encode(), gas, prepared.deposit_yocto)

    async def _on_account(self, public_key: str) -> tuple[Registered, AccessKey]:
        until_s = self.clock.monotonic_s() + _ON_ACCOUNT_S
        while self.clock.monotonic_s() < until_s:
            try:
                registered = await self.contract.worker(public_key=public_key)
                access = await find_access_key(self.rpc, self.plan.register_account_id, public_key)
            except RpcUnavailable:
                registered = access = None
            if registered is not None and access is not None:
                access.check_may_answer(self.plan.main_contract_id)
                return registered, access
            await self.clock.sleep(_LOOK_EVERY_S)
        raise RegistrationRefused(f"the key {public_key} did not come on {self.plan.register_account_id}; the contract has dropped it")


def _contract_told(account_id: str, deposit_yocto: int, *, stored: bool) -> Told:
    with_what = "with the collateral it has" if stored else "with new collateral"
    facts = (("deposit_yocto", str(deposit_yocto)), ("brings_collateral", str(not stored).lower()))
    sentence = f"{account_id} would take it {with_what}, for a deposit of {format_near(YoctoNear(deposit_yocto))}"
    return Told(Step.CONTRACT, sentence, facts)


def _parts(collateral: Collateral) -> dict[str, object]:
    """The nine parts that hold for every machine of the kind."""
    return dict(collateral.without_pck_chain().members())
