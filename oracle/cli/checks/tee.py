"""A worker that proves what it is: policy, machine, collateral, the register contract, and who else may act for the operator."""

import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from importlib import resources

import base58

from oracle.cli.checks.check import Check, fail, ok, warn
from oracle.cli.checks.owner import check_owner
from oracle.errors import ChainError, ConfigurationError, EvidenceRefused, TeeUnavailable
from oracle.flows.verify.reading import SHAPELESS, keys_by_receiver
from oracle.model import Measurements
from oracle.settings import TeeSettings
from oracle.tee.collateral import moment
from oracle.tee.dstack import MachineInfo
from oracle.tee.policy import Policy
from oracle.tee.verify import verify_quote
from oracle.wiring.chain import Chain
from oracle.wiring.tee import Machine, Trust, open_machine, registrar_of, trust_of
from register import RegisterContract, Registrar
from register.approval import not_approved
from register.errors import RegistrationRefused

_NOTHING = bytes(64)
"""Report data that binds nothing: neither a key nor a receipt."""


def check_trust(settings: TeeSettings) -> Iterator[Check]:
    """Root and policy; without a TEE the policy is a name in receipts, and nothing here is judged by it."""
    try:
        trust = trust_of(settings)
    except ConfigurationError as error:
        for problem in error.problems:
            yield fail("policy", problem, "see docs/tee.md")
        return
    if not settings.is_attested:
        yield ok("tee", "none: answers and receipts are signed with the operator's key, and no quote vouches for the software")
        return
    yield ok("policy", _in_words(trust.policy))
    if trust.root.is_test:
        found = f"TEE_ROOT_CA trusts a test root ({trust.root.sha256_hex[:16]}…)"
        yield warn("root", f"{found}: registrations, receipts and logs say that they prove nothing", "leave it unset for Intel's root")
    else:
        yield ok("root", "Intel's")


async def check_machine(settings: TeeSettings) -> AsyncIterator[Check]:
    """The socket, what the application's owner says of it, a quote of it, and collateral."""
    trust = _trust(settings)
    if trust is None:
        return
    async with open_machine(settings, trust) as machine:
        try:
            info = await machine.socket.info()
        except TeeUnavailable as error:
            yield fail("socket", str(error), "start the machine's dstack, or mend DSTACK_SIMULATOR_ENDPOINT")
            return
        yield ok("socket", f"{machine.socket.endpoint}: app {info.app_id}, instance {info.instance_id or 'of no id'}")
        yield ok("measurements", " ".join(f"{name}={value}" for name, value in info.measurements.hex_fields().items()))
        async for check in check_owner(settings, info):
            yield check
        async for check in _check_quote(machine, trust, info):
            yield check


async def check_registration(chain: Chain, settings: TeeSettings) -> AsyncIterator[Check]:
    """What the register contract says, and what its account would let others do."""
    trust = _trust(settings)
    if trust is None:
        return
    async with open_machine(settings, trust) as machine:
        registrar = registrar_of(settings, trust, machine, chain.rpc, lambda _: None)
        try:
            config = await registrar.contract.config()
            yield ok("register contract", f"{registrar.contract.account_id}: owner {config.owner_id}")
            yield await _check_code(chain, registrar.contract.account_id)
            yield await _check_keys(chain, registrar.contract, settings.offchainvm_contract_id)
            try:
                measurements = (await machine.socket.info()).measurements
            except TeeUnavailable:
                return  # the check of the socket has said it
            yield await _check_approved(registrar.contract, config.owner_id, measurements, settings)
            yield await _check_registered(registrar.contract, measurements)
            yield await _check_payer(registrar)
        except ConfigurationError as error:
            yield fail("register contract", str(error), "see docs/register-contract.md")
        except ChainError as error:
            yield fail("register contract", str(error), "see the nodes above")


async def _check_quote(machine: Machine, trust: Trust, info: MachineInfo) -> AsyncIterator[Check]:
    """By the same verification and policy as a registration; collateral that is kept is told with its age."""
    now_s = int(time.time())
    try:
        attestation = await machine.socket.quote(_NOTHING)
        collateral = await machine.collateral.for_quote(attestation.quote)
        verified = verify_quote(attestation.quote, collateral, now_s, trust.root)
    except TeeUnavailable as error:
        yield fail("collateral", str(error), "mend PCCS_URL, or the way there")
        return
    except EvidenceRefused as error:
        yield fail(
            "quote", str(error), "set TEE_ROOT_CA only for a simulated machine; else the machine or its collateral is not what it says"
        )
        return
    days = (now_s - collateral.issued_s) / 86_400
    yield ok("collateral", f"issued {moment(collateral.issued_s)} ({days:.1f} days ago), good until {moment(collateral.valid_until_s)}")
    identity_bound = (finding for finding in trust.policy.judge(verified, now_s) if finding.ok is False)
    bad = [f"{finding.name} is {finding.seen}, expected {finding.expected}" for finding in identity_bound]
    if bad:
        yield fail("quote", "; ".join(bad), "bring the platform up to date, or widen the policy in TEE_POLICY_FILE")
    elif verified.report.measurements != info.measurements:
        yield fail("quote", "the quoted measurements are others than the machine says of itself", "distrust the machine")
    else:
        yield ok("quote", f"verifies; TCB {verified.tcb.status}, advisories {', '.join(verified.tcb.advisory_ids) or 'none'}")


async def _check_code(chain: Chain, account_id: str) -> Check:
    account = await chain.rpc.call("query", {"request_type": "view_account", "finality": "final", "account_id": account_id})
    code_hash = account.get("code_hash") if isinstance(account, dict) else None
    wasm = (resources.files("localnet") / "contracts" / "register.wasm").read_bytes()
    if code_hash == base58.b58encode(hashlib.sha256(wasm).digest()).decode():
        return ok("register code", f"{code_hash}, as this package has it")
    return warn("register code", f"{code_hash}, not what this package has", "deploy the package's contract, or compare its source yourself")


async def _check_keys(chain: Chain, contract: RegisterContract, main_contract_id: str) -> Check:
    """Who else could answer in the operator's name: `oracle verify` looks at the same in check 28."""
    account_id = contract.account_id
    params = {"request_type": "view_access_key_list", "finality": "final", "account_id": account_id}
    try:
        keys = keys_by_receiver(await chain.rpc.call("query", params))
    except SHAPELESS:
        return fail("full access", f"the node does not list the keys of {account_id}", "name another node first")
    full = [key for key, receiver_id in keys.items() if receiver_id in {None, account_id}]
    mend = "delete them; `oracle verify` calls such a worker's answers UNPROVEN"
    if full:
        found = f"{account_id} has {len(full)} full-access key(s), or for itself: who holds one can answer, and replace the contract"
        return warn("full access", f"{found}, without any quote", mend)
    answering = [key for key, receiver_id in keys.items() if receiver_id == main_contract_id]
    strangers = [key for key in answering if await contract.worker(public_key=key) is None]
    if strangers:
        found = f"{account_id} has {len(strangers)} key(s) for {main_contract_id} that no worker has registered"
        return warn("full access", f"{found}: who holds one can answer without any quote", mend)
    return ok("full access", f"nobody but registered workers has a key of {account_id} that answers")


async def _check_approved(contract: RegisterContract, owner_id: str, measurements: Measurements, settings: TeeSettings) -> Check:
    if await contract.approves(measurements):
        return ok("approval", f"{contract.account_id} approves the measurements")
    told = not_approved(measurements, register_account_id=contract.account_id, owner_id=owner_id, network_id=settings.near_network_id)
    sentence, _, mend = told.partition("\n")
    return fail("approval", sentence.removesuffix(":"), mend)


async def _check_registered(contract: RegisterContract, measurements: Measurements) -> Check:
    found = await contract.worker(rtmr3_hex=measurements.rtmr3.hex())
    if found is None or found.expired:
        return ok("registration", "none for this RTMR3; `oracle run` registers a key at its start")
    return ok("registration", f"{found.public_key}, until {moment(found.expires_at_ns // 10**9)}, settings {found.settings_sha256_hex}")


async def _check_payer(registrar: Registrar) -> Check:
    try:
        await registrar.check_payer()
    except RegistrationRefused as error:
        return fail("payer", str(error), "registrations are paid from there")
    return ok("payer", f"{registrar.plan.payer_id} can pay for a registration")


def _trust(settings: TeeSettings) -> Trust | None:
    """None where `check_trust` has said what is wrong, or no TEE is asked for."""
    try:
        return trust_of(settings) if settings.is_attested else None
    except ConfigurationError:
        return None


def _in_words(policy: Policy) -> str:
    most = policy.max_evaluation_data_number
    rules = (
        f"TCB {', '.join(policy.tcb_statuses) or 'nothing'}",
        f"advisories {', '.join(policy.advisories) or 'none'}",
        f"collateral of at most {policy.max_age_days} days",
        f"evaluation {policy.min_evaluation_data_number} {'or more' if most is None else f'to {most}'}",
        f"measurements {len(policy.measurements) or 'any'}",
        f"compose hashes {len(policy.compose_hashes) or 'any'}",
        "two nodes must agree" if policy.two_nodes else "one node is believed",
    )
    return f"{'; '.join(rules)} (sha256 {policy.sha256_hex})"
