"""A chain on which a registered worker answered one request with its receipt's hash, and the bundle that proves it."""

import dataclasses
import hashlib
import json
from importlib import resources

from localnet import NEAR, TGAS, Chain, GenesisAccount, KeyPair
from localnet.values.actions import DeleteKey, FunctionCall
from localnet.values.hashes import hash_to_text
from oracle.model import Limits, OutputFormat, WasmUrl, YoctoNear
from oracle.model.receipt import ChainFacts, Outcome, RequestFacts
from oracle.tee.bundle import ChainRecord
from oracle.tee.receipt import receipt_sha256_hex
from tests.unit.oracle.flows.verify.good import MADE_AT_S, NOW_S, OUTPUT, Good

WORKER, MAIN, CALLER = "worker.test.near", "outlayer.test.near", "alice.test.near"
NS = 10**9
KEY = KeyPair.from_seed("verify stage")
SETTINGS = "5e" * 32
SOURCE = {"WasmUrl": {"url": "https://example.com/echo.wasm", "hash": "ec" * 32}}
LIMITS = {"max_instructions": 10_000_000, "max_memory_mb": 64, "max_execution_seconds": 10}
USED = {"instructions": 105, "time_ms": 1}
GAS = 300 * TGAS


def artifact(name):
    return (resources.files("localnet") / "contracts" / name).read_bytes()


class ChainStage:
    """Time stands still; every key follows from its name."""

    def __init__(self, *, input_text="hello", response_format="Text", output=OUTPUT, said=None, closed=True):
        self.good = Good()
        names = ("owner.test.near", "init.test.near", CALLER, WORKER, MAIN, "test.near")
        self.chain = Chain(
            key=KEY,
            accounts=tuple(GenesisAccount(name, 10_000 * NEAR, KEY.public_key, None) for name in names),
            clock=lambda: (MADE_AT_S - 1) * NS,
        )
        self.genesis_hash, self.headers = self.chain.head.hash, {}
        self.chain.on_block(lambda block: self.headers.update({block.header.hash: block.header}))
        self.accounts = {name: type(self.chain.root)(self.chain, name, KEY) for name in names}
        self.input_text, self.response_format, self.output = input_text, response_format, output
        self._deploy()
        self._register()
        if closed:
            self.close_account()
        self.asked = self._ask()
        self.receipt = self._receipt()
        self.answered = self._answer(said or {"Text": output.decode()})

    def call(self, who, contract, method, args, *, deposit=0):
        return self.accounts[who].call(contract, method, args, deposit_yocto=deposit, gas=GAS).raise_for_failure()

    def _deploy(self):
        good, root = self.good, self.good.simulator.root_der.hex()
        self.accounts[MAIN].deploy(artifact("outlayer.wasm"), "new", {"owner_id": "owner.test.near", "operator_id": WORKER})
        fixed = {
            "owner_id": "owner.test.near",
            "outlayer_contract_id": MAIN,
            "init_worker_account": "init.test.near",
            "root_ca_der_hex": root,
        }
        self.accounts[WORKER].deploy(artifact("register.wasm"), "new", fixed)
        approved = dict(zip(("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"), good.measurements_hex, strict=True))
        self.call("owner.test.near", WORKER, "add_approved_measurements", approved, deposit=NEAR)
        collateral = json.loads(good.simulator.collateral(MADE_AT_S - 60).as_json())
        self.call("owner.test.near", WORKER, "update_collateral", {"collateral": collateral}, deposit=NEAR)

    def _register(self):
        self.registration_args = self.register(self.good.key.public_key().public_bytes_raw(), self.good.public_key)

    def register(self, raw_key, public_key):
        """Brings a key on the account, with a quote made for it."""
        seen_ns = self.chain.head.timestamp_ns
        names = b"".join(len(name).to_bytes(4, "little") + name.encode() for name in (WORKER, MAIN))
        context = b"nco/register/v1" + names + seen_ns.to_bytes(8, "little") + bytes.fromhex(SETTINGS)
        quote = self.good.simulator.quote(raw_key + hashlib.sha256(context).digest())
        args = {
            "public_key": public_key,
            "tdx_quote_hex": quote.hex(),
            "seen_block_time": str(seen_ns),
            "settings_sha256_hex": SETTINGS,
        }
        self.call("init.test.near", WORKER, "register_worker_key", args, deposit=NEAR)
        return args

    def close_account(self):
        self.accounts[WORKER].send(WORKER, [DeleteKey(KEY.public_key)]).raise_for_failure()

    def _ask(self):
        args = {"source": SOURCE, "resource_limits": LIMITS, "input_data": self.input_text, "response_format": self.response_format}
        return self.accounts[CALLER].call(MAIN, "request_execution", args, deposit_yocto=NEAR, gas=GAS).raise_for_failure()

    def _receipt(self):
        ran = next(outcome for outcome in self.asked.receipt_outcomes if any("execution_requested" in log for log in outcome.logs))
        log = next(log for log in ran.logs if "execution_requested" in log)
        told = json.loads(json.loads(log.removeprefix("EVENT_JSON:"))["data"][0]["request_data"])
        header = self.headers[ran.block_hash]
        return self.good.receipt(
            chain=ChainFacts("localnet", hash_to_text(self.genesis_hash), MAIN),
            request=RequestFacts(
                request_id=told["request_id"],
                sender_id=CALLER,
                predecessor_id=CALLER,
                transaction_hash=hash_to_text(self.asked.hash),
                receipt_id=hash_to_text(ran.id),
                block_height=header.height,
                block_timestamp_ns=header.timestamp_ns,
                payment=YoctoNear(int(told["payment"])),
                response_format=OutputFormat(self.response_format),
                compile_only=False,
            ),
            source=WasmUrl(SOURCE["WasmUrl"]["url"], SOURCE["WasmUrl"]["hash"]),
            limits=Limits(*LIMITS.values()),
            input_sha256_hex=hashlib.sha256(self.input_text.encode()).hexdigest(),
            outcome=Outcome(success=True, output_sha256_hex=hashlib.sha256(self.output).hexdigest(), output_length=len(self.output)),
            settings_sha256_hex=SETTINGS,
        )

    def _answer(self, output):
        """With the key that the registration put on the account."""
        response = {"success": True, "output": output, "error": None, "resources_used": USED, "receipt_sha256": self.receipt_sha256_hex}
        account = self.accounts[WORKER].with_key(KeyPair(self.good.key.private_bytes_raw()))
        args = json.dumps({"request_id": self.receipt.request.request_id, "response": response}, separators=(",", ":")).encode()
        return account.send(MAIN, [FunctionCall("resolve_execution", args, 30 * TGAS, 0)]).raise_for_failure()

    @property
    def receipt_sha256_hex(self):
        return receipt_sha256_hex(self.good.bundle(self.receipt).receipt)

    def bundle(self):
        """With all that the chain says, as somebody who looked has recorded it."""
        record = ChainRecord(
            answer_transaction_hash=hash_to_text(self.answered.hash),
            answer_signer_id=WORKER,
            answer_block_hash=hash_to_text(self.answered.receipt_outcomes[0].block_hash),
            outcome_json=self.view(MAIN, "get_outcome", request_id=self.receipt.request.request_id),
            registration_json=self.view(WORKER, "get_worker", public_key=self.good.public_key),
            recorded_at_ns=NOW_S * NS,
        )
        return dataclasses.replace(self.good.bundle(self.receipt), chain=record, output_bytes=self.output, input_bytes=None)

    def view(self, contract, method, **args):
        return self.chain.view(contract, method, args).value.decode()
