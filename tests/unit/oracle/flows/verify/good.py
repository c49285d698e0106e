"""A bundle that proves everything, made by the simulator, and every part of it open to be spoilt."""

import hashlib
import json
from dataclasses import dataclass, field, replace

import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oracle.flows.verify.terms import Terms
from oracle.model.receipt import BatchProof, Outcome, Receipt, ReceiptQuote, TeeMode, WorkerFacts
from oracle.tee.bundle import Bundle, BundleAttestation, ChainRecord
from oracle.tee.merkle import Tree
from oracle.tee.policy import AcceptedMeasurements, Policy
from oracle.tee.receipt import batch_report_data, receipt_bytes, receipt_report_data, signature_message
from oracle.tee.root import Root
from oracle.tee.simulator import MachineOptions, Simulator, SimulatorOptions
from oracle.tee.simulator.events import log_json
from oracle.testing.receipts import receipt as plain_receipt

MADE_AT_S = 1_700_000_001
NOW_S = MADE_AT_S + 60
INPUT, OUTPUT = b"hello", b"HELLO"


@dataclass(frozen=True)
class Good:
    """Makes good bundles; the same seed makes the same bytes, but for the quote's and the collateral's signatures."""

    simulator: Simulator = field(default_factory=lambda: Simulator(SimulatorOptions(seed="good bundles")))
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"k" * 32))

    @property
    def root(self) -> Root:
        return Root(self.simulator.root_der)

    @property
    def public_key(self) -> str:
        return "ed25519:" + base58.b58encode(self.key.public_key().public_bytes_raw()).decode()

    @property
    def measurements_hex(self) -> tuple[str, ...]:
        of = self.simulator.machine.measurements
        return tuple(register.hex() for register in (of.mr_td, of.rt_mr0, of.rt_mr1, of.rt_mr2, of.rt_mr3))

    @property
    def policy(self) -> Policy:
        return Policy(measurements=(AcceptedMeasurements(*self.measurements_hex),), two_nodes=False)

    def terms(self, **changes: object) -> Terms:
        return replace(Terms(self.policy, self.root, NOW_S), **changes)

    def receipt(self, **changes: object) -> Receipt:
        made = plain_receipt(
            input_sha256_hex=hashlib.sha256(INPUT).hexdigest(),
            outcome=Outcome(success=True, output_sha256_hex=hashlib.sha256(OUTPUT).hexdigest(), output_length=len(OUTPUT)),
            worker=WorkerFacts("worker.test.near", self.public_key, "0.1.0", TeeMode.TDX, self.root.sha256_hex, is_test_root=True),
            policy_sha256_hex=Policy.DEFAULT.sha256_hex,
            made_at_ns=MADE_AT_S * 10**9,
        )
        return replace(made, **changes)

    def bundle(self, receipt: Receipt | None = None, *, others: tuple[bytes, ...] = ()) -> Bundle:
        """`others`: receipts that share the quote, after this one."""
        raw = receipt_bytes(receipt or self.receipt())
        tree = Tree((raw, *others))
        report_data = batch_report_data(tree.root) if others else receipt_report_data(raw)
        proof = BatchProof(tree.size, 0, tree.path(0)) if others else None
        return Bundle(
            receipt=raw,
            signature=self.key.sign(signature_message(raw)),
            input_bytes=INPUT,
            output_bytes=OUTPUT,
            attestation=BundleAttestation(
                ReceiptQuote(self.simulator.quote(report_data), log_json(self.simulator.machine.events), proof),
                self.simulator.collateral(MADE_AT_S - 60).as_json(),
                self.simulator.machine.options.compose.text,
            ),
            chain=ChainRecord("8GkZaPGkSBGPcQZZyV4ZNcMFqxVJyzQCYcyCJ3qVTQFo", "worker.test.near", None, None, None, NOW_S * 10**9),
        )


def file_of(bundle: Bundle) -> bytes:
    return bundle.to_json().encode()


def document_of(bundle: Bundle) -> dict:
    return json.loads(bundle.to_json())


def other_machine(seed: str = "another machine") -> Good:
    """The same PKI, another application."""
    return Good(Simulator(SimulatorOptions(seed="good bundles", machine=MachineOptions(instance_seed=seed.encode()))))
