"""The register contract on a chain in memory, under a test root, with those who use it. Time stands still unless it is moved."""

import hashlib
import json
import struct
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache

from localnet import NEAR, TGAS, Chain, FinalOutcome, GenesisAccount, KeyPair
from localnet.values.actions import FunctionCall
from localnet.values.errors import UnknownAccessKey
from localnet.values.outcome import Failure
from oracle.tee.simulator.collateral import USUAL_TERMS, make_collateral
from oracle.tee.simulator.hardware import Platform, Tee
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.pki import make_pki
from oracle.tee.simulator.quotes import Quoter, TdQuoteVersion
from oracle.tee.simulator.reports import Measurements, TdReport
from tests.acceptance.contract.stage import artifact

REGISTER = "worker.test.near"
MAIN = "outlayer.test.near"
START_S = 1_800_000_000
MINUTE_S, DAY_S, NS = 60, 86_400, 10**9
MAX_GAS = 300 * TGAS
DEPOSIT = NEAR
NO_SETTINGS = bytes(32)
KEY = KeyPair.from_seed("register stage")
WORKER = KeyPair.from_seed("a worker's key")
APPROVED = Measurements(*(bytes([n]) * 48 for n in range(1, 6)))
GENESIS_YOCTO = 10_000 * NEAR
PLAYERS = ("owner", "init", "alice", "bob")
SECRETS = Secrets.from_text("register contract")
PLATFORM = Platform()


@cache
def pki_of(platform=PLATFORM, secrets=SECRETS):
    return make_pki(secrets, platform)


@cache
def quoter_of(platform=PLATFORM, secrets=SECRETS):
    return Quoter(secrets, pki_of(platform, secrets))


def hex_of(measurements):
    """As the contract's methods take them."""
    names = {"mrtd": "mr_td", "rtmr0": "rt_mr0", "rtmr1": "rt_mr1", "rtmr2": "rt_mr2", "rtmr3": "rt_mr3"}
    return {name: getattr(measurements, attribute).hex() for name, attribute in names.items()}


def report_data(key, seen_ns, *, register=REGISTER, main=MAIN, settings=NO_SETTINGS):
    """PROTOCOL's binding, written once more with nothing but hashlib and struct."""
    text = b"".join(struct.pack("<I", len(name)) + name.encode() for name in (register, main))
    return key.public_key.raw + hashlib.sha256(b"nco/register/v1" + text + struct.pack("<Q", seen_ns) + settings).digest()


@dataclass
class RegisterStage:
    init_account: str | None = "init.test.near"
    start_s: int = START_S
    root_hex: str | None = "test root"
    """A certificate; None is Intel's."""
    contract_gas: dict = field(default_factory=dict)
    """Gas that a method of the contract burnt when it was last run with success, by method."""

    def __post_init__(self):
        names = [*(f"{name}.test.near" for name in PLAYERS), REGISTER, MAIN, "test.near"]
        accounts = tuple(GenesisAccount(name, GENESIS_YOCTO, KEY.public_key, None) for name in names)
        self.chain = Chain(key=KEY, accounts=accounts, clock=lambda: self.start_s * NS)
        self.accounts = {name: type(self.chain.root)(self.chain, name, KEY) for name in names}
        self.succeeded, self.events = set(), defaultdict(list)
        self.chain.on_block(self._see)
        root_hex = pki_of().root_der.hex() if self.root_hex == "test root" else self.root_hex
        args = {"owner_id": "owner.test.near", "outlayer_contract_id": MAIN, "init_worker_account": self.init_account}
        self.accounts[REGISTER].deploy(artifact("register.wasm"), "new", args | {"root_ca_der_hex": root_hex})

    @property
    def now_s(self):
        return self.chain.head.timestamp_ns // NS

    def account(self, name):
        return self.accounts[name if "." in name else f"{name}.test.near"]

    def call(self, who, method, args=None, *, deposit=0, gas=MAX_GAS) -> FinalOutcome:
        """Call a method and run to the end; it must not fail."""
        return self.account(who).call(REGISTER, method, args or {}, deposit_yocto=deposit, gas=gas).raise_for_failure()

    def refused(self, who, method, args=None, *, deposit=0, gas=MAX_GAS) -> str:
        """Call a method that must fail; why it did."""
        outcome = self.account(who).call(REGISTER, method, args or {}, deposit_yocto=deposit, gas=gas)
        assert outcome.failure is not None, outcome
        return json.dumps(outcome.failure.to_json())

    def view(self, method, **args):
        value = self.chain.view(REGISTER, method, args).value
        self.succeeded.add(method)
        return json.loads(value) if value else None

    def collateral(self, terms=USUAL_TERMS, *, now_s=None, platform=PLATFORM, **changes):
        made = replace(make_collateral(pki_of(platform), Tee.TDX, now_s or self.now_s, terms), **changes)
        return json.loads(made.as_json())

    def quote(self, key=WORKER, *, seen_ns=None, measurements=APPROVED, version=TdQuoteVersion.V4, platform=PLATFORM, **changes):
        """A quote that binds what a registration at `seen_ns` (now) must bind, unless `report_data` is among the changes."""
        bound = changes.pop("report_data", None) or report_data(key, seen_ns or self.now_ns, **changes.pop("binding", {}))
        return quoter_of(platform).td_quote(TdReport(measurements, bound, **changes), version).hex()

    @property
    def now_ns(self):
        return self.chain.head.timestamp_ns

    def prepare(self, *measurements):
        """Approve the measurements and store collateral."""
        for one in measurements or (APPROVED,):
            self.call("owner", "add_approved_measurements", hex_of(one), deposit=NEAR)
        self.call("owner", "update_collateral", {"collateral": self.collateral()}, deposit=NEAR)

    def registration(self, key=WORKER, *, quote=None, seen_ns=None, settings=None, **of_quote):
        """Arguments of `register_worker_key`."""
        seen_ns = seen_ns or self.now_ns
        if settings is not None:
            of_quote["binding"] = {"settings": settings}
        quote = self.quote(key, seen_ns=seen_ns, **of_quote) if quote is None else quote
        args = {"public_key": str(key.public_key), "tdx_quote_hex": quote, "seen_block_time": str(seen_ns)}
        return args if settings is None else args | {"settings_sha256_hex": settings.hex()}

    def register(self, key=WORKER, *, who="init", deposit=DEPOSIT, gas=MAX_GAS, **more) -> bool:
        """Register or renew with the stored collateral; whether the key is on the account."""
        return self.call(who, "register_worker_key", self.registration(key, **more), deposit=deposit, gas=gas).json()

    def refusal(self, key=WORKER, *, who="init", deposit=DEPOSIT, gas=MAX_GAS, **more) -> str:
        """Why a registration is refused; it must leave nothing behind."""
        before = self.chain.account(REGISTER).storage_usage_bytes, self.chain.access_keys(REGISTER)
        why = self.refused(who, "register_worker_key", self.registration(key, **more), deposit=deposit, gas=gas)
        assert before == (self.chain.account(REGISTER).storage_usage_bytes, self.chain.access_keys(REGISTER))
        return why

    def key_on_account(self, key=WORKER):
        """What the account allows a key, or None."""
        try:
            return self.chain.access_key(REGISTER, key.public_key).permission
        except UnknownAccessKey:
            return None

    def worker(self, key=WORKER):
        return self.view("get_worker", public_key=str(key.public_key))

    def is_registered(self, key=WORKER):
        return self.view("is_worker_registered", public_key=str(key.public_key))

    def later(self, seconds):
        self.chain.advance_time(seconds)

    def storage_yocto(self):
        """The stake of all bytes on the account."""
        return self.chain.account(REGISTER).storage_usage_bytes * 10**19

    def balance(self, who):
        return self.account(who).balance_yocto

    def _see(self, block):
        for run in block.executed:
            if run.receipt.receiver_id != REGISTER or isinstance(run.outcome.status, Failure):
                continue
            for action in run.receipt.actions:
                if isinstance(action, FunctionCall):
                    self.succeeded.add(action.method_name)
                    self.contract_gas[action.method_name] = run.outcome.gas_burnt
            for log in run.outcome.logs:
                event = json.loads(log.removeprefix("EVENT_JSON:"))
                assert (event["standard"], event["version"]) == ("nco-register", "1.0.0")
                self.events[event["event"]] += event["data"]
