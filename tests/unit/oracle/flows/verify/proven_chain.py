"""
A chain of a dozen blocks that holds one request, its answer and its end, and the bundle that proves them under its last block.

The request comes through a contract of the caller's, the answer from the worker's key. Trees are laid here, as nearcore lays them
(tests/vectors/light_client has nearcore's own).
"""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256

import base58

from oracle.model import YoctoNear
from oracle.model.proof import BlockProof, ChainProofs, Ending, LightHeader, OutcomeProof, ProvableOutcome, Sibling
from oracle.model.receipt import ChainFacts, Receipt, RequestFacts
from oracle.near.keys import Call, SigningKey
from oracle.near.proof import block_hash, outcome_leaf
from oracle.tee.bundle import Bundle, ChainRecord
from tests.unit.oracle.flows.verify.good import INPUT, MADE_AT_S, NOW_S, OUTPUT, Good

MAIN, CLIENT, CALLER, WORKER = "outlayer.test.near", "client.test.near", "alice.test.near", "worker.test.near"
NS = 10**9
START_NS = (MADE_AT_S - 6) * NS
ASKED_IN, ANSWERED_IN = 5, 8
"""The blocks in which request and answer run; the receipt is made at the seventh's time."""


def hash_of(name):
    return sha256(name.encode()).digest()


def text(data):
    return base58.b58encode(data).decode()


def way(leaves, index):
    """Root and path of a leaf in a tree of nearcore's: the left half is the largest full one that leaves something to the right."""
    if len(leaves) == 1:
        return leaves[0], ()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    is_left = index < half
    own, path = way(leaves[:half], index) if is_left else way(leaves[half:], index - half)
    beside, _ = way(leaves[half:], 0) if is_left else way(leaves[:half], 0)
    pair = own + beside if is_left else beside + own
    return sha256(pair).digest(), (*path, Sibling(beside, is_left=not is_left))


def event(name, entry):
    return "EVENT_JSON:" + json.dumps({"standard": "near-outlayer", "version": "1.0.0", "event": name, "data": [entry]})


@dataclass
class ProvenChain:
    """
    `asked`: other members of the event's `request_data`. `settles`: other members of `execution_completed`. `heard` and `ending`: the
    callback's value, and how it ended. `answered`: how the answer's call ended.
    """

    good: Good = field(default_factory=Good)
    asked: dict = field(default_factory=dict)
    settles: dict = field(default_factory=dict)
    heard: bytes = b'"HELLO"'
    ending: Ending = Ending.VALUE
    answered: Ending = Ending.VALUE
    input_in_call: str | None = None
    """A long input: the caller calls the contract itself, and the event does not tell it."""
    spelled_in_call: str | None = None
    """What stands there as JSON instead of it."""
    beside: tuple = ()
    """What the contract logged before it told the request."""

    def __post_init__(self):
        self.first = replace(self._header(0, bytes(32), []), outcome_root=bytes(32), block_merkle_root=bytes(32))
        self.headers, self.ran = [self.first], {height: [] for height in range(20)}
        self.receipt = self._receipt()
        self._fill()
        while len(self.headers) < 13:
            self._grow()

    def _header(self, height, previous, hashes):
        return LightHeader(
            height=height + 100,
            epoch_id=hash_of("epoch"),
            next_epoch_id=hash_of("next epoch"),
            prev_state_root=hash_of(f"state {height}"),
            outcome_root=self._outcome_root(height) if height else bytes(32),
            timestamp_ns=START_NS + height * NS,
            next_bp_hash=hash_of("producers"),
            block_merkle_root=way(hashes, 0)[0] if hashes else bytes(32),
            inner_rest_hash=hash_of(f"rest {height}"),
            prev_block_hash=previous,
        )

    def _grow(self):
        hashes = [block_hash(header) for header in self.headers]
        self.headers.append(self._header(len(self.headers), hashes[-1], hashes))

    def _outcome_root(self, height):
        """Of what ran in the block before: two shards, of which the second did nothing."""
        leaves = [outcome_leaf(outcome) for outcome in self.ran[height - 1]]
        shard = way(leaves, 0)[0] if leaves else bytes(32)
        return sha256(sha256(shard).digest() + sha256(bytes(32)).digest()).digest()

    def _receipt(self) -> Receipt:
        plain = self.good.receipt()
        request = RequestFacts(
            request_id=7,
            sender_id=CALLER,
            predecessor_id=CLIENT if self.input_in_call is None else CALLER,
            transaction_hash=text(self._request_transaction()[0]),
            receipt_id=text(hash_of("asks")),
            block_height=100 + ASKED_IN,
            block_timestamp_ns=START_NS + ASKED_IN * NS,
            payment=YoctoNear(10**23),
            response_format=plain.request.response_format,
            compile_only=False,
        )
        given = INPUT if self.input_in_call is None else self.input_in_call.encode()
        chain = ChainFacts("localnet", text(block_hash(self.first)), MAIN)
        return replace(plain, chain=chain, request=request, input_sha256_hex=sha256(given).hexdigest())

    def _request_transaction(self):
        args = f'{{"input_data": {self.spelled_in_call or json.dumps(self.input_in_call)}}}'.encode()
        key = SigningKey.generate(CALLER) if not hasattr(self, "_caller") else self._caller
        self._caller = key
        receiver = CLIENT if self.input_in_call is None else MAIN
        transaction_hash, signed = key.sign_call(Call(receiver, "request_execution", args, 1), nonce=1, block_hash=text(bytes(32)))
        return base58.b58decode(transaction_hash), signed

    def _request_data(self):
        receipt = self.receipt
        told = {
            "request_id": 7,
            "sender_id": CALLER,
            "predecessor_id": receipt.request.predecessor_id,
            "code_source": {"WasmUrl": {"url": receipt.source.url, "hash": receipt.source.sha256_hex}},
            "resource_limits": {
                "max_instructions": receipt.limits.max_instructions,
                "max_memory_mb": receipt.limits.max_memory_mb,
                "max_execution_seconds": receipt.limits.max_execution_seconds,
            },
            "input_data": INPUT.decode() if self.input_in_call is None else "",
            "input_data_in_state": self.input_in_call is not None,
            "response_format": "Text",
            "payment": str(10**23),
            "timestamp": START_NS + ASKED_IN * NS,
        }
        return told | self.asked

    def _answer_transaction(self):
        raw = self.good.key.private_bytes_raw() + self.good.key.public_key().public_bytes_raw()
        key = SigningKey.from_text(WORKER, "ed25519:" + base58.b58encode(raw).decode())
        metrics = self.receipt.metrics
        response = {
            "success": True,
            "output": {"Text": OUTPUT.decode()},
            "error": None,
            "resources_used": {"instructions": metrics.instructions, "time_ms": metrics.time_ms},
            "receipt_sha256": self.plain_bundle.receipt_sha256_hex,
        }
        args = json.dumps({"request_id": 7, "response": response}).encode()
        transaction_hash, signed = key.sign_call(Call(MAIN, "resolve_execution", args, 1), nonce=1, block_hash=text(bytes(32)))
        return base58.b58decode(transaction_hash), signed

    def _fill(self):
        """What runs in which block."""
        self.plain_bundle = self.good.bundle(self.receipt)
        (asked_id, self.request_bytes), (answered_id, self.answer_bytes) = self._request_transaction(), self._answer_transaction()
        requested = event("execution_requested", {"request_data": json.dumps(self._request_data()), "data_id": [0] * 32, "timestamp": 1})
        used = {"instructions": self.receipt.metrics.instructions, "time_ms": self.receipt.metrics.time_ms}
        end = {"request_id": 7, "success": True, "error_message": None, "resources_used": used} | self.settles
        first = hash_of("through the client") if self.input_in_call is None else hash_of("asks")
        self._run(ASKED_IN - (2 if self.input_in_call is None else 1), asked_id, CALLER, Ending.RECEIPT, first, made=(first,))
        if self.input_in_call is None:
            self._run(ASKED_IN - 1, first, CLIENT, Ending.RECEIPT, hash_of("asks"), made=(hash_of("else"), hash_of("asks")))
        self._run(
            ASKED_IN,
            hash_of("asks"),
            MAIN,
            Ending.RECEIPT,
            hash_of("ends"),
            logs=("other", *self.beside, requested),
            made=(hash_of("ends"),),
        )
        self._run(ANSWERED_IN - 1, answered_id, WORKER, Ending.RECEIPT, hash_of("answers"), made=(hash_of("answers"),))
        self._run(ANSWERED_IN, hash_of("answers"), MAIN, self.answered, b"")
        self._run(ANSWERED_IN + 1, hash_of("ends"), MAIN, self.ending, self.heard, logs=(event("execution_completed", end),))
        ids = [asked_id, *([first] if self.input_in_call is None else []), hash_of("asks")]
        self.ids = {"request": ids, "answer": [answered_id, hash_of("answers")], "settled": hash_of("ends")}

    def _run(self, height, outcome_id, executor_id, ending, value, *, logs=(), made=()):
        """Three others run in each block beside it."""
        mine = ProvableOutcome(outcome_id, executor_id, ending, value, logs, made, 10**12, 10**20)
        others = [replace(mine, id=hash_of(f"{number} beside {height}"), logs=(), receipt_ids=()) for number in range(3)]
        self.ran[height] = [others[0], mine, *others[1:]]

    def proof_of(self, outcome_id) -> OutcomeProof:
        height, outcomes = next((height, ran) for height, ran in self.ran.items() if any(each.id == outcome_id for each in ran))
        place = next(place for place, each in enumerate(outcomes) if each.id == outcome_id)
        _, path = way([outcome_leaf(each) for each in outcomes], place)
        root_path = (Sibling(sha256(bytes(32)).digest(), is_left=False),)
        block = self.block_proof(height + 1)
        return OutcomeProof(outcomes[place], path, root_path, block_hash(block.header), block)

    def block_proof(self, height) -> BlockProof:
        _, path = way([block_hash(header) for header in self.headers[:-1]], height)
        return BlockProof(self.headers[height], path)

    @property
    def head(self) -> str:
        """The block to trust."""
        return text(block_hash(self.headers[-1]))

    def proofs(self, **changes) -> ChainProofs:
        plain = ChainProofs(
            head=self.headers[-1],
            request=tuple(map(self.proof_of, self.ids["request"])),
            answer=tuple(map(self.proof_of, self.ids["answer"])),
            settled=self.proof_of(self.ids["settled"]),
            blocks=(self.block_proof(0),),
            request_transaction=None if self.input_in_call is None else self.request_bytes,
            answer_transaction=self.answer_bytes,
        )
        return replace(plain, **changes)

    def bundle(self, proofs: ChainProofs | None = None) -> Bundle:
        record = ChainRecord(
            answer_transaction_hash=text(self.ids["answer"][0]),
            answer_signer_id=WORKER,
            answer_block_hash=text(block_hash(self.headers[ANSWERED_IN])),
            outcome_json=None,
            registration_json=None,
            recorded_at_ns=NOW_S * NS,
            proofs=self.proofs() if proofs is None else proofs,
        )
        return replace(self.plain_bundle, chain=record, input_bytes=None)
