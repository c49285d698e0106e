"""Settings to a worker that proves what it is: the root and the rules it trusts, and the registration of its key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from oracle.errors import ConfigurationError
from oracle.guest.engine import METERED
from oracle.near import Rpc, SigningKey
from oracle.ports import SystemClock
from oracle.settings import TeeSettings
from oracle.tee.documents import HttpDocuments
from oracle.tee.dstack import Dstack
from oracle.tee.pccs import CollateralSource
from oracle.tee.policy import Policy
from oracle.tee.root import INTEL, Root
from oracle.tee.security import SecuritySettings
from register import BlockTimes, Judge, Payer, Plan, Registrar, Tell, Witness

GUEST_ISOLATION = "process"
"""What every guest has: a process of its own behind the walls of `oracle.guest`."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a worker believes: a root certificate, a policy, and the settings that security rests on, by their digest."""

    root: Root
    policy: Policy
    security: SecuritySettings


def trust_of(settings: TeeSettings) -> Trust:
    """
    Read root and policy.

    Raises:
        ConfigurationError: a file cannot be read, or the policy asks for two nodes and one is named.
    """
    root = INTEL if settings.tee_root_ca is None else Root.from_file(settings.tee_root_ca)
    policy = Policy.from_file(settings.tee_policy_file)
    nodes = independent_nodes(settings)
    if settings.is_attested and policy.two_nodes and len(nodes) < 2:
        problem = (
            "NEAR_RPC_URL: the policy believes a request when two independent nodes agree on it, and one host is named; name a second, "
            "or set two_nodes = false under [chain] in the file of TEE_POLICY_FILE"
        )
        raise ConfigurationError((problem,))
    security = SecuritySettings(
        network_id=settings.near_network_id,
        contract_id=settings.offchainvm_contract_id,
        register_contract_id=settings.register_contract_id if settings.is_attested else None,
        tee_mode=settings.tee_mode,
        root_sha256_hex=root.sha256_hex if settings.is_attested else None,
        policy_sha256_hex=policy.sha256_hex,
        engine_settings_sha256_hex=METERED.sha256_hex,
        guest_isolation=GUEST_ISOLATION,
        build_backend=settings.build_backend,
        independent_nodes=len(nodes),
        two_nodes=settings.is_attested and policy.two_nodes,
        local_chain=settings.is_local_chain,
    )
    return Trust(root, policy, security)


def independent_nodes(settings: TeeSettings) -> tuple[str, ...]:
    """One RPC URL of each host, in order; on the local chain, where all is one machine, of each port."""
    found: dict[str, str] = {}
    for url in settings.rpc_urls:
        parts = urlsplit(url)
        found.setdefault(parts.netloc if settings.is_local_chain else parts.hostname or "", url)
    return tuple(found.values())


def collateral_cache(home: Path) -> Path:
    """Where collateral is kept over a restart."""
    return home / "cache" / "collateral"


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine's socket and the source of its collateral."""

    socket: Dstack
    collateral: CollateralSource


@asynccontextmanager
async def open_machine(settings: TeeSettings, trust: Trust) -> AsyncIterator[Machine]:
    """Connections are made when they are first needed: socket and service may come later, and go away between."""
    async with Dstack(settings.dstack_simulator_endpoint) as socket, HttpDocuments() as documents:
        source = CollateralSource(settings.pccs_url, documents, collateral_cache(settings.oracle_home), SystemClock(), trust.root)
        yield Machine(socket, source)


def registrar_of(settings: TeeSettings, trust: Trust, machine: Machine, rpc: Rpc, tell: Tell) -> Registrar:
    """
    What registers keys of this machine with the settings in force.

    Raises:
        ConfigurationError: TEE_MODE is not tdx.
    """
    payer_id, payer_key = settings.init_account_id, settings.init_account_private_key
    if not settings.is_attested or settings.register_contract_id is None or payer_id is None or payer_key is None:
        raise ConfigurationError(("TEE_MODE=none: only a worker with TEE_MODE=tdx registers; set it, and the settings it needs",))
    plan = Plan(
        network_id=settings.near_network_id,
        register_account_id=settings.register_contract_id,
        main_contract_id=settings.offchainvm_contract_id,
        settings_sha256_hex=trust.security.sha256_hex,
        payer_id=payer_id,
        local_chain=settings.is_local_chain,
    )
    payer = Payer(rpc, SigningKey.from_text(payer_id, payer_key.get_secret_value()), SystemClock())
    times = BlockTimes(rpc, payer.clock, independent_nodes(settings) if trust.policy.two_nodes else ())
    return Registrar(plan, Witness(machine.socket, machine.collateral, Judge(trust.root, trust.policy)), payer, tell, times)
