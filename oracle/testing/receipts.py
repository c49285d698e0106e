"""Receipts for tests, and the twin of what makes them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from oracle.errors import EvidenceRefused
from oracle.model import Answer, Job, Limits, Metrics, OutputFormat, WasmUrl, YoctoNear
from oracle.model.receipt import ChainFacts, EngineFacts, Outcome, Receipt, RequestFacts, SignedReceipt, WorkerFacts

PUBLIC_KEY = "ed25519:" + "1" * 32
"""Of nobody: 32 zero bytes."""


def receipt(**changes: Any) -> Receipt:
    """A success on the local chain."""
    plain = Receipt(
        chain=ChainFacts("localnet", "4reLvkAWfqk5fsqio1KLudk46cqRz9erQdaHkWZKMJDZ", "outlayer.test.near"),
        request=RequestFacts(
            request_id=7,
            sender_id="alice.test.near",
            predecessor_id="client.test.near",
            transaction_hash="8GkZaPGkSBGPcQZZyV4ZNcMFqxVJyzQCYcyCJ3qVTQFo",
            receipt_id="4hcGSaBFWkWVZ3mHhBhDTrBWzS9MT4uy5KVbwhE6qKfi",
            block_height=101,
            block_timestamp_ns=1_700_000_000 * 10**9,
            payment=YoctoNear(10**23),
            response_format=OutputFormat.TEXT,
            compile_only=False,
        ),
        source=WasmUrl("https://example.com/echo.wasm", "ec" * 32),
        toolchain=None,
        wasm_sha256_hex="ec" * 32,
        input_sha256_hex="1a" * 32,
        environment_sha256_hex="2b" * 32,
        limits=Limits(),
        engine=EngineFacts("50.0.1", "3c" * 32, "x86_64"),
        outcome=Outcome(success=True, output_sha256_hex="4d" * 32, output_length=5),
        metrics=Metrics(instructions=105, time_ms=1, peak_memory_bytes=65_536),
        worker=WorkerFacts("worker.test.near", PUBLIC_KEY, "0.1.0"),
        settings_sha256_hex="5e" * 32,
        policy_sha256_hex="6f" * 32,
        made_at_ns=1_700_000_001 * 10**9,
    )
    return replace(plain, **changes)


@dataclass(slots=True)
class FakeReceipts:
    """`MakeReceipts` without keys: a receipt says what the job and its answer are, and by whom it was made."""

    name: str = "one"
    """Whose receipts these are; another one is another process with a key of its own."""
    is_attested: bool = False
    trouble: str | Exception | None = None
    """While set, there can be no receipt: the reason, or a fault."""
    made: list[SignedReceipt] = field(default_factory=list)

    async def make(self, job: Job, answer: Answer, kept: Sequence[SignedReceipt] = ()) -> SignedReceipt:
        """See `MakeReceipts`."""
        if self.trouble is not None:
            raise self.trouble if isinstance(self.trouble, Exception) else EvidenceRefused(self.trouble)
        text = f"{self.name}: {job.request} {job.origin} {job.wasm_sha256_hex} {job.input_sha256_hex} {answer}"
        for known in kept:
            if known.receipt == text.encode():
                return known
        sha256_hex = hashlib.sha256(text.encode()).hexdigest()
        signed = SignedReceipt(job.request_id, text.encode(), sha256_hex, self.name, bytes(64), output=answer.output)
        self.made.append(signed)
        return signed
