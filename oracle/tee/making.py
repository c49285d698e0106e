"""Receipts made and signed: what is known of an execution, said in the worker's name."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from oracle.errors import EvidenceRefused
from oracle.model import Answer, Job
from oracle.model.environment import guest_environment
from oracle.model.receipt import ChainFacts, EngineFacts, Outcome, Receipt, RequestFacts, SignedReceipt, WorkerFacts
from oracle.ports import Clock
from oracle.tee.fields import ED25519_PREFIX
from oracle.tee.quoting import ReceiptQuotes
from oracle.tee.receipt import environment_sha256_hex, parse_receipt, receipt_bytes, receipt_sha256_hex, signature_message


@dataclass(frozen=True, slots=True)
class Standing:
    """What all receipts of one process have in common."""

    chain: ChainFacts
    engine: EngineFacts
    worker: WorkerFacts
    settings_sha256_hex: str
    policy_sha256_hex: str


class ReceiptMaker:
    """
    `MakeReceipts`.

    `sign`: ed25519 of the message, 64 bytes, with the key that `standing.worker` names; the key itself stays where it is.
    `quotes`: None outside a TEE.
    """

    def __init__(self, standing: Standing, sign: Callable[[bytes], bytes], clock: Clock, quotes: ReceiptQuotes | None = None) -> None:
        self._standing, self._sign, self._clock, self._quotes = standing, sign, clock, quotes
        raw_key = base58.b58decode(standing.worker.public_key.removeprefix(ED25519_PREFIX))
        self._public_key = Ed25519PublicKey.from_public_bytes(raw_key)

    @property
    def is_attested(self) -> bool:
        """See `MakeReceipts`."""
        return self._quotes is not None

    async def make(self, job: Job, answer: Answer, kept: Sequence[SignedReceipt] = ()) -> SignedReceipt:
        """See `MakeReceipts`."""
        said = self._receipt(job, answer)
        signed = next((known for known in kept if self._stands(known, said)), None)
        if signed is None:
            raw = receipt_bytes(said)
            signature = self._sign(signature_message(raw))
            signed = SignedReceipt(job.request_id, raw, receipt_sha256_hex(raw), said.worker.public_key, signature)
        signed = replace(signed, output=answer.output if answer.success else None)
        if signed.quote is None and self._quotes is not None:
            signed = replace(signed, quote=await self._quotes.quote(signed.receipt))
        return signed

    def _stands(self, known: SignedReceipt, said: Receipt) -> bool:
        """Whether a receipt from the store was signed with this very key, whatever the store says of it, and says the same."""
        try:
            self._public_key.verify(known.signature, signature_message(known.receipt))
            return replace(parse_receipt(known.receipt), made_at_ns=said.made_at_ns) == said
        except (InvalidSignature, EvidenceRefused):
            return False

    def _receipt(self, job: Job, answer: Answer) -> Receipt:
        standing, ran = self._standing, job.input_sha256_hex is not None
        return Receipt(
            chain=standing.chain,
            request=_request_facts(job),
            source=job.request.source,
            toolchain=job.toolchain,
            wasm_sha256_hex=job.wasm_sha256_hex,
            input_sha256_hex=job.input_sha256_hex,
            environment_sha256_hex=self._environment(job) if ran else None,
            limits=job.request.limits,
            engine=standing.engine,
            outcome=_outcome(answer),
            metrics=answer.metrics,
            worker=standing.worker,
            settings_sha256_hex=standing.settings_sha256_hex,
            policy_sha256_hex=standing.policy_sha256_hex,
            made_at_ns=self._clock.now_ns(),
        )

    def _environment(self, job: Job) -> str:
        chain = self._standing.chain
        return environment_sha256_hex(guest_environment(job.request, job.origin, contract_id=chain.contract_id, network_id=chain.chain_id))


def _request_facts(job: Job) -> RequestFacts:
    request, origin = job.request, job.origin
    return RequestFacts(
        request_id=request.request_id,
        sender_id=request.sender_id,
        predecessor_id=request.predecessor_id,
        transaction_hash=origin.transaction_hash or None,
        receipt_id=origin.receipt_id or None,
        block_height=origin.block_height or None,
        block_timestamp_ns=origin.block_timestamp_ns or None,
        payment=request.payment,
        response_format=request.response_format,
        compile_only=not request.runs_guest,
    )


def _outcome(answer: Answer) -> Outcome:
    output = answer.output if answer.success else None
    if output is None:
        return Outcome(success=answer.success, error=answer.error)
    return Outcome(success=True, output_sha256_hex=hashlib.sha256(output).hexdigest(), output_length=len(output))
