"""Answers sent through a node that counts nonces as NEAR does: what is sent once, what again, and what is signed anew."""

import asyncio
import base64
import hashlib
from types import SimpleNamespace

import base58
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from oracle.errors import RpcUnavailable, StoreError, TransactionRefused
from oracle.model import Answer
from oracle.model.receipt import SignedReceipt
from oracle.near import Addressee, ChainSender, Rpc, SigningKey
from oracle.near.send import TRANSACTION_VALIDITY_BLOCKS
from oracle.ports import SignedTransaction
from oracle.testing.clock import EagerClock
from oracle.testing.jobs import MemoryJobs

WORKER, CONTRACT = "worker.test.near", "outlayer.test.near"


def key_of(number):
    seed = bytes([number]) * 32
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return SigningKey.from_text(WORKER, "ed25519:" + base58.b58encode(seed + public).decode())


class Sent:
    """A signed transaction read from its bytes (borsh: NEAR protocol, Transaction V0)."""

    def __init__(self, raw):
        def text(at):
            length = int.from_bytes(raw[at : at + 4], "little")
            return raw[at + 4 : at + 4 + length].decode(), at + 4 + length

        self.signer_id, at = text(0)
        self.public_key = raw[at + 1 : at + 33]
        self.nonce = int.from_bytes(raw[at + 33 : at + 41], "little")
        self.receiver_id, at = text(at + 41)
        self.block_hash = raw[at : at + 32]
        self.method, at = text(at + 37)
        self.args, _ = text(at)
        unsigned, signature = raw[:-65], raw[-64:]
        self.hash = base58.b58encode(hashlib.sha256(unsigned).digest()).decode()
        Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, hashlib.sha256(unsigned).digest())


def refusal(kind, **facts):
    inner = {"InvalidTxError": {kind: facts} if facts else kind}
    cause = {"name": "INVALID_TRANSACTION", "info": {}}
    return {"error": {"name": "HANDLER_ERROR", "cause": cause, "code": -32000, "message": "x", "data": {"TxExecutionError": inner}}}


class Node:
    """Accepts transactions; `include` executes what waits, in the order of the nonces, dropping those that come too late."""

    def __init__(self):
        self.height, self.nonces, self.waiting, self.executed = 100, {}, [], {}
        self.refuse, self.lose_answers, self.drop, self.failing = [], 0, False, None
        self.received = []

    async def handle(self, request):
        body = await request.json()
        method, params = body["method"], body["params"]
        answer = getattr(self, method)(params)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    def block(self, _params):
        block_hash = base58.b58encode(hashlib.sha256(str(self.height).encode()).digest()).decode()
        return {"result": {"header": {"height": self.height, "hash": block_hash, "timestamp_nanosec": "1"}}}

    def query(self, params):
        nonce = self.nonces.get(params["public_key"], 0)
        if nonce is None:
            return {"result": {"error": "access key ed25519:x does not exist while viewing", "logs": []}}
        return {"result": {"nonce": nonce, "permission": "FullAccess", "block_height": self.height, "block_hash": "h"}}

    def broadcast_tx_async(self, params):
        sent = Sent(base64.b64decode(params[0]))
        self.received.append(sent)
        if self.refuse:
            kind = self.refuse.pop(0)
            if kind is not None:
                return refusal(kind)
        name = "ed25519:" + base58.b58encode(sent.public_key).decode()
        if sent.nonce <= self.nonces.get(name, 0):
            return refusal("InvalidNonce", tx_nonce=sent.nonce, ak_nonce=self.nonces[name])
        if not self.drop and sent.hash not in {waiting.hash for waiting in self.waiting}:
            self.waiting.append(sent)
        if self.lose_answers:
            self.lose_answers -= 1
            return web.Response(status=502)
        return {"result": sent.hash}

    def tx(self, params):
        found = params["tx_hash"]
        if found in self.executed:
            return {"result": {"final_execution_status": "FINAL", "status": self.executed[found]}}
        if any(sent.hash == found for sent in self.waiting):
            return {"result": {"final_execution_status": "INCLUDED", "status": "Started"}}
        cause = {"name": "UNKNOWN_TRANSACTION", "info": {}}
        return {"error": {"name": "HANDLER_ERROR", "cause": cause, "code": -32000, "message": "x", "data": "none"}}

    def include(self):
        self.height += 1
        for sent in sorted(self.waiting, key=lambda sent: sent.nonce):
            name = "ed25519:" + base58.b58encode(sent.public_key).decode()
            if sent.nonce > self.nonces.get(name, 0):
                self.nonces[name] = sent.nonce
                message = {"ActionError": {"index": 0, "kind": {"FunctionCallError": {"ExecutionError": self.failing}}}}
                self.executed[sent.hash] = {"Failure": message} if self.failing else {"SuccessValue": ""}
        self.waiting = []


class World:
    def __init__(self, rpc, node, keys):
        self.rpc, self.node, self.store, self.clock = rpc, node, MemoryJobs(), EagerClock()
        self.keys, self.vouched, self.keeps_receipts = keys, [], True
        self.restart()

    def restart(self):
        self.sender = ChainSender(self.rpc, self.store, Addressee(CONTRACT, self.keeps_receipts), self.keys, self.clock)

    async def submit(self, number=1, **more):
        return await self.sender.submit(Answer(number, True, b"out"), self.vouch, **more)

    async def vouch(self, answer):
        self.vouched.append(answer)
        said = f"{len(self.vouched)} {answer}".encode()
        return SignedReceipt(answer.request_id, said, hashlib.sha256(said).hexdigest(), "k", bytes(64))

    @property
    def nonces(self):
        return [sent.nonce for sent in self.node.received]


@pytest.fixture(params=[1])
async def world(request, serving):
    node = Node()
    async with serving(node.handle) as url, Rpc([url], EagerClock()) as rpc:
        yield World(rpc, node, [key_of(number + 1) for number in range(request.param)])


two_keys = pytest.mark.parametrize("world", [2], indirect=True)


async def test_a_transaction_is_in_the_journal_before_it_is_sent(world):
    at_arrival = []
    receive = world.node.broadcast_tx_async

    def look(params):
        at_arrival.append(len(world.store._transactions))
        return receive(params)

    world.node.broadcast_tx_async = look
    transaction_hash = await world.submit()
    (recorded,) = await world.store.transactions(1)
    assert at_arrival == [1]
    assert recorded.transaction_hash == transaction_hash == world.node.received[0].hash
    assert (recorded.nonce, recorded.block_height, recorded.kind) == (1, 100, "answer")


async def test_what_is_sent_is_a_call_of_the_contract_signed_by_the_operator(world):
    await world.submit()
    await world.sender.extend(1)
    first, second = world.node.received
    assert (first.signer_id, first.receiver_id, first.method) == (WORKER, CONTRACT, "resolve_execution")
    assert second.method == "extend_execution"


async def test_a_receipt_is_in_the_journal_with_the_transaction_that_carries_its_hash(world):
    at_arrival = []
    receive = world.node.broadcast_tx_async

    def look(params):
        at_arrival.append([known.receipt_sha256_hex for known in world.store._receipts])
        return receive(params)

    world.node.broadcast_tx_async = look
    await world.submit()
    (receipt,) = await world.store.receipts(1)
    assert at_arrival == [[receipt.receipt_sha256_hex]]
    assert f'"receipt_sha256":"{receipt.receipt_sha256_hex}"' in world.node.received[0].args


async def test_who_asks_is_told_of_a_receipt_once_it_is_stored(world):
    told, record = [], world.store.record

    async def fails(*_):
        raise StoreError("the disk is full")

    world.sender.recorded = told.append
    world.sender._store = SimpleNamespace(record=fails, highest_nonce=world.store.highest_nonce, transactions=world.store.transactions)
    with pytest.raises(StoreError):
        await world.submit()
    assert told == []
    world.sender._store.record = record
    await world.submit()
    await world.sender.extend(1)
    assert told == await world.store.receipts(1)


async def test_a_contract_that_keeps_no_receipts_is_told_of_none_and_the_receipt_is_kept_all_the_same(world):
    world.keeps_receipts = False
    world.restart()
    await world.submit()
    assert "receipt" not in world.node.received[0].args
    assert len(await world.store.receipts(1)) == 1


async def test_an_answer_without_a_receipt_goes_out_without_its_hash(world):
    async def vouch(_answer):
        return None

    await world.sender.submit(Answer(1, True, b"out"), vouch)
    assert "receipt" not in world.node.received[0].args
    assert await world.store.receipts(1) == []


async def test_an_answer_that_goes_out_again_keeps_its_receipt(world):
    world.node.drop = True
    await world.submit()
    world.restart()
    await world.submit()
    assert len(world.vouched) == 1
    assert len(await world.store.receipts(1)) == 1


async def test_what_is_vouched_for_is_the_answer_as_the_contract_is_told_it(world):
    await world.sender.submit(Answer(1, True, b"\xff"), world.vouch)
    await world.sender.submit(Answer(2, False, error="why " * 500), world.vouch)
    unfit, long = world.vouched
    assert (unfit.success, unfit.output) == (False, None)
    assert f'"error":"{unfit.error}"' in world.node.received[0].args
    assert f'"error":"{long.error}"' in world.node.received[1].args
    assert len(long.error) < 500


async def test_each_window_of_a_long_job_is_announced_by_a_transaction_of_its_own(world):
    await world.sender.extend(1)
    await world.sender.extend(1)
    assert len({sent.hash for sent in world.node.received}) == 1  # on its way: nothing new goes out
    world.node.include()
    await world.sender.extend(1)
    assert len({sent.hash for sent in world.node.received}) == 2


async def test_nothing_is_sent_while_the_journal_cannot_be_written(world):
    world.store.broken = "database or disk is full"
    with pytest.raises(StoreError):
        await world.submit()
    assert world.node.received == []


async def test_many_answers_are_in_flight_with_rising_nonces(world):
    await asyncio.gather(*(world.submit(number) for number in range(20)))
    assert world.nonces == list(range(1, 21))
    world.node.include()
    assert len(world.node.executed) == 20


@two_keys
async def test_several_keys_share_the_work(world):
    await asyncio.gather(*(world.submit(number) for number in range(20)))
    by_key = {sent.public_key for sent in world.node.received}
    assert len(by_key) == 2
    world.node.include()
    assert len(world.node.executed) == 20


async def test_nonces_go_on_from_the_higher_of_chain_and_journal(world):
    world.node.nonces[world.keys[0].public_key] = 41
    await world.submit(1)
    world.restart()  # 42 is in the journal and not on the chain yet
    await world.submit(2)
    assert world.nonces == [42, 43]


async def test_an_answer_that_waits_to_be_executed_is_left_alone(world):
    first = await world.submit()
    world.restart()
    assert await world.submit() == first
    assert len(world.node.received) == 1


async def test_a_dropped_transaction_goes_out_again_with_the_same_bytes(world):
    world.node.drop = True
    first = await world.submit()
    world.node.drop = False
    world.restart()
    assert await world.submit() == first
    assert [sent.hash for sent in world.node.received] == [first, first]
    assert len(await world.store.transactions(1)) == 1


async def test_a_lost_answer_of_the_node_is_no_reason_to_sign_anew(world):
    world.node.lose_answers = 2  # the client asks once more by itself
    with pytest.raises(RpcUnavailable):
        await world.submit()
    world.node.include()
    await world.submit()
    assert len({sent.hash for sent in world.node.received}) == 1
    assert len(await world.store.transactions(1)) == 1


async def test_a_transaction_whose_nonce_is_used_up_is_signed_anew(world):
    world.node.drop = True
    first = await world.submit()
    world.node.drop = False
    world.node.nonces[world.keys[0].public_key] = 10
    assert await world.submit() != first
    assert world.nonces == [1, 2, 11]


async def test_an_expired_transaction_is_signed_anew(world):
    world.node.drop = True
    first = await world.submit()
    world.node.drop = False
    world.node.height += TRANSACTION_VALIDITY_BLOCKS
    world.restart()
    assert await world.submit() != first
    world.node.include()
    assert len(world.node.executed) == 1


async def test_a_success_that_settled_nothing_is_repeated_only_when_it_is_told_twice(world):
    first = await world.submit()
    world.node.include()
    assert await world.submit() == first
    assert await world.submit() != first


async def test_an_answer_that_the_contract_refused_twice_becomes_a_failure_with_its_reason(world):
    world.node.failing = "Smart contract panicked: no"
    hashes = set()
    for _ in range(3):
        hashes.add(await world.submit())
        world.node.include()
    assert len(hashes) == 3
    last = (await world.store.transactions(1))[-1]
    assert b"The contract refused the answer: Smart contract panicked: no" in last.signed_bytes
    assert b'"success":false' in last.signed_bytes
    newest = (await world.store.receipts(1))[0]
    assert b"The contract refused the answer" in newest.receipt
    assert newest.receipt_sha256_hex.encode() in last.signed_bytes


async def test_a_refused_nonce_or_block_is_mended_at_once(world):
    for number, kind in enumerate(("InvalidNonce", "NonceTooLarge", "Expired", "InvalidChain")):
        world.node.refuse = [kind]
        await world.submit(number)
        world.node.include()
    assert len(world.node.executed) == 4


async def test_a_refusal_that_stays_is_told_and_not_tried_for_ever(world):
    world.node.refuse = ["InvalidNonce"] * 10
    with pytest.raises(TransactionRefused, match="InvalidNonce"):
        await world.submit()
    assert len(world.node.received) == 3


@pytest.mark.parametrize("kind", ["NotEnoughBalance", "NotEnoughAllowance", "LackBalanceForState", "SomethingNew"])
async def test_a_refused_key_without_another_is_told_by_name(world, kind):
    world.node.refuse = [kind] * 3
    with pytest.raises(TransactionRefused) as caught:
        await world.submit()
    assert caught.value.kind == kind


@two_keys
async def test_a_key_that_cannot_pay_rests_while_another_sends(world):
    world.node.refuse = ["NotEnoughAllowance"]
    await world.submit(1)
    await world.submit(2)
    keys = [sent.public_key for sent in world.node.received]
    assert keys[0] != keys[1] == keys[2]


@two_keys
async def test_a_deleted_key_is_passed_over(world):
    world.node.nonces[world.keys[0].public_key] = None
    await world.submit()
    assert len(world.node.received) == 1


async def test_without_any_key_on_the_account_the_refusal_names_the_key(world):
    world.node.nonces[world.keys[0].public_key] = None
    with pytest.raises(TransactionRefused, match="has no key ed25519:"):
        await world.submit()


async def test_what_is_known_to_be_new_is_sent_without_a_look_at_the_journal(world):
    async def never(_request_id):
        raise AssertionError

    world.store = type("Blind", (MemoryJobs,), {"transactions": never})()
    world.restart()
    await world.submit(first=True)
    assert len(world.node.received) == 1


async def test_a_key_never_shows(world):
    secret = base58.b58encode(bytes([1]) * 32).decode()
    assert secret not in repr(world.keys[0])
    for text in ("ed25519:abc", "secp256k1:x", "", "ed25519:0OIl", "ed25519:" + base58.b58encode(bytes(64)).decode()):
        with pytest.raises(ValueError, match="private key") as caught:
            SigningKey.from_text(WORKER, text)
        assert text not in str(caught.value) or not text


@pytest.mark.parametrize("lie", [2**62, 2**64 - 5, -1, 104 * 10**6])
async def test_a_nonce_that_no_key_can_have_is_not_believed_and_leaves_no_trace(world, lie):
    public_key = world.keys[0].public_key
    world.node.nonces[public_key] = lie
    with pytest.raises(RpcUnavailable, match="nonce"):
        await world.submit(1)
    world.node.nonces[public_key] = 41
    await world.submit(1)
    world.restart()
    await world.submit(2)
    assert world.nonces == [42, 43]


async def test_a_journal_that_counts_beyond_the_chain_is_ignored(world):
    public_key = world.keys[0].public_key
    await world.store.record(SignedTransaction("tx", 1, public_key, 2**62, 100, b"signed with it"))
    world.node.nonces[public_key] = 41
    await world.submit(1)  # what was signed with it can never succeed: it is not sent again
    assert world.nonces == [42]


async def test_a_nonce_told_to_be_too_large_is_counted_from_the_chain_alone(world):
    public_key = world.keys[0].public_key
    world.node.nonces[public_key] = 41
    await world.store.record(SignedTransaction("tx", 9, public_key, 1_000, 100, b"x"))
    world.node.refuse = ["NonceTooLarge"]
    await world.submit(1)
    assert world.nonces == [1_001, 42]


async def test_a_node_that_lags_far_behind_is_no_reason_to_sign_anew(world):
    public_key = world.keys[0].public_key
    world.node.height, world.node.nonces[public_key], world.node.drop = 400, 390 * 10**6, True
    sent = await world.submit(1)
    world.node.height, world.node.nonces[public_key] = 100, 41
    assert await world.submit(1) == sent


@pytest.mark.parametrize("header", [{"hash": "zz"}, {"hash": "\ud800"}, {"hash": "1" * 10**6}, {"height": 2**63}, {"height": -1}])
async def test_a_block_that_cannot_be_referred_to_is_trouble_of_the_chain(world, header):
    honest = world.node.block
    world.node.block = lambda params: {"result": {"header": honest(params)["result"]["header"] | header}}
    with pytest.raises(RpcUnavailable):
        await world.submit()
    world.node.block = honest
    await world.submit()
    assert world.nonces == [1]
