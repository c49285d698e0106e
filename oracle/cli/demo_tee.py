"""The demonstration's trusted machine: simulated under a test root, with the register contract and a policy that accepts it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import SecretStr

from localnet import NEAR, TGAS, Account, Chain
from localnet.values.actions import DeleteKey
from oracle.cli.verify_online import Given, Online
from oracle.flows.verify.report import Report
from oracle.flows.verify.terms import Terms
from oracle.model.receipt import TeeMode
from oracle.ports import SystemClock
from oracle.tee.policy import Policy
from oracle.tee.root import Root
from oracle.tee.simulator import Simulator

PAYER = "payer.test.near"
POLICY_FILE = "policy.toml"
_GAS = 100 * TGAS
_DEPOSIT_YOCTO = NEAR // 10


@dataclass(frozen=True, slots=True)
class MachineReady:
    """The simulated machine answers on its socket, and its collateral service on a port."""

    socket: str
    pccs_url: str
    compose_hash: str
    root_sha256: str
    root_file: str


@dataclass(frozen=True, slots=True)
class TrustedMachine:
    """A machine, and the rules that accept its software and nothing else."""

    simulator: Simulator
    policy_file: Path

    @property
    def ready(self) -> MachineReady:
        """What there is to tell of it."""
        simulator = self.simulator
        return MachineReady(
            socket=str(simulator.socket_path),
            pccs_url=simulator.pccs_url,
            compose_hash=simulator.options.machine.compose.sha256.hex(),
            root_sha256=Root.from_file(simulator.root_path).sha256_hex,
            root_file=str(simulator.root_path),
        )

    def settings(self, operator_id: str, payer: Account) -> Mapping[str, object]:
        """Of a worker on this machine; its key is made when it starts."""
        return {
            "tee_mode": TeeMode.TDX,
            "register_contract_id": operator_id,
            "init_account_id": payer.account_id,
            "init_account_private_key": SecretStr(payer.key.secret_key),
            "dstack_simulator_endpoint": str(self.simulator.socket_path),
            "pccs_url": self.simulator.pccs_url,
            "tee_root_ca": self.simulator.root_path,
            "tee_policy_file": self.policy_file,
        }

    def found(self, chain: Chain, operator: Account, outlayer_id: str) -> tuple[Account, int]:
        """
        Put the register contract on the operator's account, approve this machine, and leave nobody a key of that account.

        Returns the account that pays for registrations, and the size of the contract in bytes.
        """
        payer = chain.root.create_account(PAYER, balance_yocto=20 * NEAR)
        wasm = (resources.files("localnet") / "contracts" / "register.wasm").read_bytes()
        arguments = {
            "owner_id": chain.root.account_id,
            "outlayer_contract_id": outlayer_id,
            "init_worker_account": payer.account_id,
            "root_ca_der_hex": self.simulator.root_der.hex(),
        }
        operator.deploy(wasm, "new", arguments)
        approved = chain.root.call(
            operator.account_id, "add_approved_measurements", self._measurements(), gas=_GAS, deposit_yocto=_DEPOSIT_YOCTO
        )
        approved.raise_for_failure()
        operator.send(operator.account_id, (DeleteKey(operator.key.public_key),)).raise_for_failure()
        return payer, len(wasm)

    async def verify(self, request_id: int, rpc_url: str, worker_url: str, contract_id: str) -> Report:
        """What `oracle verify REQUEST_ID --policy … --root-ca …` says."""
        policy, root = Policy.from_file(self.policy_file), Root.from_file(self.simulator.root_path)
        terms = Terms(policy, root, SystemClock().now_ns() // 10**9, None, None, request_id, contract_id)
        online = Online(Given((rpc_url,), worker_url, contract_id, None, None), (rpc_url,), worker_url, contract_id)
        looked = await asyncio.to_thread(online.look_at_fetched, request_id, None, terms)
        return Report(looked.found.subject, looked.found.checks, looked.checks, root.sha256_hex, root.is_test, policy.sha256_hex)

    def _measurements(self) -> dict[str, str]:
        return _hex_registers(self.simulator)


@asynccontextmanager
async def trusted_machine(home: Path) -> AsyncIterator[TrustedMachine]:
    """A simulated machine, and its policy in `home`."""
    async with Simulator() as simulator:
        policy_file = home / POLICY_FILE
        policy_file.write_text(_policy_text(simulator), encoding="utf-8")
        yield TrustedMachine(simulator, policy_file)


def _policy_text(simulator: Simulator) -> str:
    registers = "".join(f'{name} = "{value}"\n' for name, value in _hex_registers(simulator).items())
    compose_hash = simulator.options.machine.compose.sha256.hex()
    return f'[[measurements]]\n{registers}\n[app]\ncompose_hashes = ["{compose_hash}"]\n\n[chain]\ntwo_nodes = false\n'


def _hex_registers(simulator: Simulator) -> dict[str, str]:
    of = simulator.machine.measurements
    return {
        "mrtd": of.mr_td.hex(),
        "rtmr0": of.rt_mr0.hex(),
        "rtmr1": of.rt_mr1.hex(),
        "rtmr2": of.rt_mr2.hex(),
        "rtmr3": of.rt_mr3.hex(),
    }
