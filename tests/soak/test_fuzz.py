"""Ten seconds of mutated input for each parser that strangers can reach: whatever comes, only the parser's own errors come out."""

import base64
import json
import os
import random
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

import pytest
from py_near import transactions as near

from localnet.rpc.envelope import read_request
from localnet.rpc.errors import ParseError
from localnet.values.borsh import BorshError
from localnet.values.transaction import read_signed_transaction
from localnet.vm import Vm
from localnet.vm.errors import CompilationFailed
from oracle.errors import RequestError, RpcUnavailable
from oracle.guest.output import check_output
from oracle.guest.wire import ENDING, Ending, How, Nonsense, ending_body_length, unpack_ending
from oracle.model import Metrics, Origin, OutputFormat
from oracle.near.blocks import Watched, read_block
from oracle.near.events import events_of_log
from tests.acceptance.harness import Signer

pytestmark = pytest.mark.soak

SECONDS_EACH = float(os.environ.get("FUZZ_SECONDS", "10"))
REQUEST_DATA = {
    "request_id": 7,
    "sender_id": "alice.near",
    "predecessor_id": "client.near",
    "code_source": {"WasmUrl": {"url": "https://example.com/a.wasm", "hash": "ab" * 32, "build_target": "wasm32-wasip1"}},
    "resource_limits": {"max_instructions": 1000, "max_memory_mb": 16, "max_execution_seconds": 5},
    "input_data": "hello",
    "response_format": "Text",
    "payment": "1000000000000000000000",
    "timestamp": 1_750_000_000_000_000_000,
}
LOG = "EVENT_JSON:" + json.dumps(
    {
        "standard": "near-outlayer",
        "version": "1.0.0",
        "event": "execution_requested",
        "data": [{"request_data": json.dumps(REQUEST_DATA), "data_id": [1] * 32, "timestamp": 1}],
    }
)
OUTCOME = {"logs": [LOG], "receipt_ids": [], "gas_burnt": 1, "executor_id": "oracle.near", "status": {"SuccessValue": ""}}
ENTRY = {
    "execution_outcome": {"id": "4", "block_hash": "3", "outcome": OUTCOME},
    "receipt": {"receipt_id": "4", "receiver_id": "oracle.near", "receipt": {"Action": {"signer_public_key": "ed25519:1"}}},
    "tx_hash": "5",
}
HEADER = {"height": 5, "hash": "2", "prev_hash": "1", "timestamp_nanosec": "9"}
BLOCK = {"block": {"header": HEADER}, "shards": [{"receipt_execution_outcomes": [ENTRY]}]}


def signed_transaction() -> bytes:
    signer = Signer.named("alice.near")
    actions = [near.create_function_call_action("m", b"{}", 10**12, 1), near.create_transfer_action(5), near.create_create_account_action()]
    return base64.b64decode(
        near.sign_and_serialize_transaction("alice.near", signer.seed + signer.public_bytes, "bob.near", 3, actions, bytes(32))
    )


def shipped(package: str, *path: str) -> bytes:
    return resources.files(package).joinpath(*path).read_bytes()


def packed_ending() -> bytes:
    return Ending(next(iter(How)), stdout=b"out", stderr=b"err").pack()


def read_ending(data: bytes) -> object:
    """As the parent does it: the header says how much follows, and only so much is read."""
    header, body = data[: ENDING.size], data[ENDING.size :]
    return unpack_ending(header, body[: ending_body_length(header)])


@dataclass(frozen=True)
class Target:
    name: str
    seeds: tuple[bytes, ...]
    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()


VM = Vm()
TARGETS = (
    Target("logs", (LOG.encode(),), lambda data: events_of_log(data.decode("utf-8", "surrogateescape"), Origin())),
    Target(
        "blocks", (json.dumps(BLOCK).encode(),), lambda data: read_block(data, Watched("oracle.near", "near-outlayer")), (RpcUnavailable,)
    ),
    Target("transactions", (signed_transaction(),), read_signed_transaction, (BorshError,)),
    Target("JSON-RPC", (b'{"jsonrpc":"2.0","id":1,"method":"query","params":{"a":[1,{"b":null}]}}',), read_request, (ParseError,)),
    Target("contracts", (shipped("localnet", "contracts", "registrar.wasm"),), VM.prepare, (CompilationFailed,)),
    Target(
        "answers", (b'{"a":[1,2,{"b":"c"}]}', "é".encode()), lambda data: check_output(data, OutputFormat.JSON, Metrics()), (RequestError,)
    ),
    Target("runners", (packed_ending(),), read_ending, (Nonsense, struct.error)),
)


def mutated(rng: random.Random, seed: bytes) -> bytes:
    """A few of the usual injuries, in any order."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                data[at:at] = rng.randbytes(rng.choice((1, 4, 60)))
            case 2:
                del data[at : at + rng.choice((1, 3, 200))]
            case 3:
                del data[at:]
            case 4:
                data[at : at + 1] = rng.choice((b"\x00", b"\xff", b"\x7f", b"[", b"{", b'"', b"-", b"9" * 30, b"\xed\xa0\x80", b"null"))
            case 5:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start : start + rng.choice((1, 10, 300))] * rng.choice((1, 2, 50))
            case _:
                data[at:at] = rng.choice((b"[" * 5000, b'{"a":' * 3000, b"\x80" * 12))
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_parser_refuses_mutants_with_its_own_errors_only(target):
    seed_number = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    rng, until, count = random.Random(seed_number), time.monotonic() + SECONDS_EACH, 0
    while time.monotonic() < until:
        data = mutated(rng, rng.choice(target.seeds))
        count += 1
        try:
            target.parse(data)
        except target.refusals:
            pass
        except Exception as error:
            raise AssertionError(f"{target.name}, FUZZ_SEED={seed_number}, input {count}: {data[:300]!r}") from error
    assert count > 10
