"""A receipt for tests, with everything that they do not name."""

from dataclasses import replace
from typing import Any

from oracle.model import Limits, Metrics, OutputFormat, WasmUrl, YoctoNear
from oracle.model.receipt import ChainFacts, EngineFacts, Outcome, Receipt, RequestFacts, WorkerFacts

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
