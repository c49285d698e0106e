"""The register contract on a served chain, a simulated machine, and what registers its keys."""

import asyncio
import logging
from contextlib import asynccontextmanager
from importlib import resources
from types import SimpleNamespace

import pytest
import structlog

from localnet import NEAR, Chain
from localnet.server import ServerThread
from oracle.cli.exits import exit_code_of
from oracle.cli.group import run_command
from oracle.cli.register_worker import command
from oracle.near import Rpc, SigningKey
from oracle.ports import SystemClock
from oracle.settings import TeeSettings, read_settings
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.wiring.tee import open_machine, registrar_of, trust_of

REGISTER, MAIN, PAYER = "worker.test.near", "outlayer.test.near", "payer.test.near"
SEED = "registrations"
NOWHERE = "http://127.0.0.1:9"
ONE_NODE = "[chain]\ntwo_nodes = false\n"


@pytest.fixture(scope="module")
def founded():
    """A chain with the contract on it, and its snapshot; tests begin with that."""
    wasm = (resources.files("localnet") / "contracts" / "register.wasm").read_bytes()
    simulator = Simulator(SimulatorOptions(seed=SEED))
    with Chain() as chain:
        payer = chain.root.create_account(PAYER, balance_yocto=20 * NEAR)
        arguments = {"owner_id": chain.root.account_id, "outlayer_contract_id": MAIN, "root_ca_der_hex": simulator.root_der.hex()}
        account = chain.root.create_account(REGISTER, balance_yocto=50 * NEAR)
        account.deploy(wasm, "new", arguments | {"init_worker_account": PAYER})
        yield SimpleNamespace(chain=chain, payer=payer, account=account, snapshot=chain.snapshot())


class Stage:
    """One test's world. `told`: the steps that were told."""

    def __init__(self, founded, simulator, settings, rpc):
        self.chain, self.payer, self.simulator, self.settings, self.rpc = founded.chain, founded.payer, simulator, settings, rpc
        self.told = []

    def own(self, method, deposit_yocto=0, **arguments):
        """The owner of the register contract calls it."""
        return self.chain.root.call(REGISTER, method, arguments, deposit_yocto=deposit_yocto, gas=100 * 10**12)

    @property
    def measurements(self):
        of = self.simulator.machine.measurements
        names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
        return dict(zip(names, (value.hex() for value in (of.mr_td, of.rt_mr0, of.rt_mr1, of.rt_mr2, of.rt_mr3)), strict=True))

    def approve(self):
        self.own("add_approved_measurements", NEAR // 50, **self.measurements)

    def key(self):
        return SigningKey.generate(REGISTER)

    def view(self, method, **arguments):
        return self.chain.view(REGISTER, method, arguments).json()

    @asynccontextmanager
    async def registrar(self, **changes):
        """What `register-worker` and `oracle run` make of these settings."""
        settings = self.settings.model_copy(update=changes)
        trust = trust_of(settings)
        async with open_machine(settings, trust) as machine:
            yield registrar_of(settings, trust, machine, self.rpc, self.told.append)


@pytest.fixture
async def stage(founded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    founded.chain.restore(founded.snapshot)
    for account in (founded.chain.root, founded.payer, founded.account):
        account._last_nonce = 0
    (tmp_path / "policy.toml").write_text(ONE_NODE)
    with ServerThread(founded.chain) as server:
        async with Simulator(SimulatorOptions(seed=SEED)) as simulator, Rpc((server.rpc_url,), SystemClock()) as rpc:
            settings = read_settings(
                TeeSettings,
                oracle_home=tmp_path / "home",
                near_network_id="localnet",
                near_rpc_url=server.rpc_url,
                offchainvm_contract_id=MAIN,
                tee_mode="tdx",
                register_contract_id=REGISTER,
                init_account_id=PAYER,
                init_account_private_key=founded.payer.key.secret_key,
                dstack_simulator_endpoint=str(simulator.socket_path),
                pccs_url=simulator.pccs_url,
                tee_root_ca=simulator.root_path,
                tee_policy_file=tmp_path / "policy.toml",
            )
            yield Stage(founded, simulator, settings, rpc)


@pytest.fixture
def shell(stage, monkeypatch, capsys):
    """Run a function that is a command's `main`, in an environment with a worker's settings: what it returns, stdout, stderr."""
    settings, secret = stage.settings, stage.payer.key.secret_key
    environment = {
        "ORACLE_HOME": str(settings.oracle_home),
        "NEAR_NETWORK_ID": "localnet",
        "NEAR_RPC_URL": settings.rpc_urls[0],
        "OFFCHAINVM_CONTRACT_ID": MAIN,
        "OPERATOR_ACCOUNT_ID": REGISTER,
        "API_LISTEN": "127.0.0.1:0",
        "TEE_MODE": "tdx",
        "REGISTER_CONTRACT_ID": REGISTER,
        "INIT_ACCOUNT_ID": settings.init_account_id,
        "INIT_ACCOUNT_PRIVATE_KEY": secret,
        "DSTACK_SIMULATOR_ENDPOINT": settings.dstack_simulator_endpoint,
        "PCCS_URL": settings.pccs_url,
        "TEE_ROOT_CA": str(settings.tee_root_ca),
        "TEE_POLICY_FILE": str(settings.tee_policy_file),
    }
    monkeypatch.setattr("oracle.logging._secrets", set())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    async def run(main, **changed):
        for name, value in (environment | changed).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()  # what the test itself did before
        code = await asyncio.to_thread(main)
        told = capsys.readouterr()
        assert secret.removeprefix("ed25519:") not in told.out + told.err
        assert "Traceback" not in told.err
        return code, told.out, told.err

    yield run
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
def register_worker(shell):
    """Run `register-worker`: exit code, lines of stdout, stderr."""

    async def run(*arguments, **changed):
        code, out, err = await shell(lambda: exit_code_of(command, "register-worker", list(arguments)), **changed)
        return code, out.splitlines(), err

    return run


@pytest.fixture
def oracle(shell):
    """Run `oracle`: exit code, stdout, stderr."""

    async def run(*arguments, **changed):
        return await shell(lambda: run_command(list(arguments)), **changed)

    return run
