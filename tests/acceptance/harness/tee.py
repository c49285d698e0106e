"""A world whose worker proves what it is: a simulated machine, and the register contract on the operator's account."""

from oracle.tee.simulator import Simulator
from tests.acceptance.harness.client import NEAR, TGAS, Signer, call, new_account
from tests.acceptance.harness.world import OPERATOR, OUTLAYER, World, contract

PAYER = "payer.test.near"
ONE_NODE = "[chain]\ntwo_nodes = false\n"


class TeeWorld(World):
    """`simulator` runs in the test's process; its measurements are approved unless told otherwise."""

    def __init__(self, home, *, approved=True, policy=ONE_NODE, options=None, worker_settings=None):
        super().__init__(home, worker_settings=worker_settings)
        self.simulator = Simulator(options)
        self.payer = Signer.named(PAYER)
        self.approved, self.policy_file = approved, self.home / "policy.toml"
        self.home.mkdir(parents=True, exist_ok=True)
        self.policy_file.write_text(policy)

    async def _enter(self):
        await self.simulator.__aenter__()
        return await super()._enter()

    async def __aexit__(self, *exc):
        await super().__aexit__(*exc)
        await self.simulator._stack.aclose()

    async def _found(self):
        await super()._found()
        await self.client.commit(self.root, PAYER, new_account(self.payer, 20 * NEAR))
        arguments = {
            "owner_id": self.root.account_id,
            "outlayer_contract_id": OUTLAYER,
            "init_worker_account": PAYER,
            "root_ca_der_hex": self.simulator.root_der.hex(),
        }
        deploy = new_account(self.operator, 0, contract("register"), arguments)[3:]
        await self.client.commit(self.operator, OPERATOR, deploy)
        if self.approved:
            await self.approve()

    async def own(self, method, deposit=0, **arguments):
        """The owner of the register contract calls it."""
        await self.client.commit(self.root, OPERATOR, [call(method, arguments, deposit=deposit, gas=100 * TGAS)])

    async def approve(self):
        await self.own("add_approved_measurements", NEAR // 50, **self.measurements)

    @property
    def measurements(self):
        of = self.simulator.machine.measurements
        names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
        return dict(zip(names, (value.hex() for value in (of.mr_td, of.rt_mr0, of.rt_mr1, of.rt_mr2, of.rt_mr3)), strict=True))

    async def registered(self):
        return await self.client.view(OPERATOR, "list_workers")

    def settings(self):
        plain = super().settings()
        del plain["OPERATOR_PRIVATE_KEY"]
        return {
            **plain,
            "TEE_MODE": "tdx",
            "REGISTER_CONTRACT_ID": OPERATOR,
            "INIT_ACCOUNT_ID": PAYER,
            "INIT_ACCOUNT_PRIVATE_KEY": self.payer.secret_key,
            "DSTACK_SIMULATOR_ENDPOINT": str(self.simulator.socket_path),
            "PCCS_URL": self.simulator.pccs_url,
            "TEE_ROOT_CA": str(self.simulator.root_path),
            "TEE_POLICY_FILE": str(self.policy_file),
            **self.worker_settings,
        }
