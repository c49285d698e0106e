"""The block stream against a server that fails, lies, repeats, skips and hangs: every existing block comes, once and in order."""

import asyncio
import base64
import json
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from oracle.model import Completed, Cursor, Requested, Unreadable
from oracle.near import Contract, NeardataStream, Rpc, RpcStream, Watched
from oracle.store import SqliteJobs
from oracle.testing.clock import EagerClock

CONTRACT = "outlayer.test.near"


def block(height, *logs, prev=None, executor=CONTRACT, status=None, tx_hash="tx"):
    """A block as a neardata-style API gives it; hashes follow from heights."""
    outcome = {"logs": list(logs), "status": status or {"SuccessValue": ""}, "executor_id": executor, "gas_burnt": 3, "receipt_ids": []}
    receipt = {"receipt_id": "r", "receiver_id": executor, "predecessor_id": "a", "receipt": {"Action": {"signer_public_key": "ed25519:k"}}}
    entry = {"execution_outcome": {"id": "r", "outcome": outcome}, "receipt": receipt, "tx_hash": tx_hash}
    header = {
        "height": height,
        "hash": f"h{height}",
        "prev_hash": f"h{height - 1}" if prev is None else prev,
        "timestamp_nanosec": str(height),
    }
    shards = [{"shard_id": 0, "chunk": None, "receipt_execution_outcomes": [entry] if logs else []}]
    return {"block": {"author": "a", "header": header, "chunks": []}, "shards": shards}


def completed(number):
    event = {"standard": "near-outlayer", "version": "1", "event": "execution_completed", "data": [{"request_id": number, "success": True}]}
    return "EVENT_JSON:" + json.dumps(event)


def asked(number):
    request = {"request_id": number, "sender_id": "a", "code_source": {"repo": "r", "commit": "c"}, "payment": "1", "timestamp": 3}
    data = [{"request_data": json.dumps(request), "data_id": [0] * 32, "timestamp": 3}]
    return "EVENT_JSON:" + json.dumps({"standard": "near-outlayer", "version": "1", "event": "execution_requested", "data": data})


class Chain:
    """A block API and a node in one; `mischief[height]` is a list of answers given before the true one."""

    def __init__(self, *heights):
        self.blocks = {}
        for before, height in zip((0, *heights), heights, strict=False):
            self.blocks[height] = block(height, completed(height), prev=f"h{before}")
        self.mischief, self.asked, self.node = {}, [], []

    @property
    def head(self):
        return max(self.blocks, default=0)

    async def handle(self, request):
        if request.method == "POST":
            return await self.rpc(await request.json())
        height = int(request.path.rsplit("/", 1)[1])
        self.asked.append(height)
        if self.mischief.get(height):
            answer = self.mischief[height].pop(0)
            return await answer(request) if callable(answer) else web.Response(text=json.dumps(answer))
        if height > self.head:
            return web.Response(status=404)
        return web.json_response(self.blocks.get(height))

    async def rpc(self, body):
        if self.node:
            return web.json_response(self.node.pop(0))
        head = self.blocks[self.head]["block"]["header"]
        return web.json_response({"result": {"header": head}})


GENESIS = Cursor(0, "h0")


async def first(stream, count, after=GENESIS):
    follow = stream.follow(after)
    async with asyncio.timeout(20):
        found = [await anext(follow) for _ in range(count)]
    await follow.aclose()
    return found


async def heights_of(chain, serving, count, **cursor):
    clock = EagerClock()
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        return [news.cursor.height for news in await first(stream, count, **cursor)], clock, stream


def status(code):
    async def answer(_request):
        return web.Response(status=code, text="trouble")

    return answer


async def hang_up(request):
    request.transport.close()
    return web.Response()


async def test_blocks_come_in_order_with_their_events(serving):
    chain, clock = Chain(1, 2, 3), EagerClock()
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        found = await first(stream, 3)
        assert stream.head_height == 3
    assert [news.cursor for news in found] == [Cursor(1, "h1"), Cursor(2, "h2"), Cursor(3, "h3")]
    assert [news.events for news in found] == [(Completed(n, True, None),) for n in (1, 2, 3)]


async def test_skipped_heights_are_passed_over(serving):
    heights, _, _ = await heights_of(Chain(1, 4, 5, 9), serving, 4)
    assert heights == [1, 4, 5, 9]


async def test_many_blocks_are_caught_up_with_side_by_side_and_in_order(serving):
    wanted = [height for height in range(1, 300) if height % 7]
    chain = Chain(*wanted)
    heights, _, _ = await heights_of(chain, serving, len(wanted))
    assert heights == wanted


async def test_whatever_a_server_answers_no_block_is_lost(serving):
    mischief = [
        status(500), status(429), status(403), status(404), hang_up,
        {"block": {}}, {"block": {"header": {"height": "x"}}}, [], "text", 7, {"shards": []}, block(1),
    ]  # fmt: skip
    chain = Chain(*range(1, 40))
    chain.mischief = {height: [answer] for height, answer in enumerate(mischief, start=2)} | {20: list(mischief)}
    heights, clock, stream = await heights_of(chain, serving, 39)
    assert heights == list(range(1, 40))
    assert stream.trouble is None
    assert max(clock.slept_s) <= 10


async def test_an_existing_block_called_skipped_is_found_by_the_next_ones_link(serving):
    chain = Chain(1, 2, 3, 4)
    chain.mischief = {2: [None, None], 3: [None]}
    heights, _, _ = await heights_of(chain, serving, 4)
    assert heights == [1, 2, 3, 4]


async def test_a_height_is_skipped_only_when_a_later_block_exists(serving):
    chain = Chain(1, 2)
    chain.mischief = {3: [None] * 5}
    clock = EagerClock()
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        follow = stream.follow(Cursor(0, "h0"))
        assert [(await anext(follow)).cursor.height for _ in range(2)] == [1, 2]
        waiting = asyncio.ensure_future(anext(follow))
        while chain.mischief[3]:
            await asyncio.sleep(0)
        chain.blocks[3] = block(3, completed(3))
        assert (await waiting).cursor.height == 3
        await follow.aclose()


async def test_blocks_that_do_not_link_are_believed_in_the_end(serving):
    chain = Chain(1)
    chain.blocks[2] = block(2, prev="another chain")
    heights, clock, _ = await heights_of(chain, serving, 2)
    assert heights == [1, 2]
    assert len(clock.slept_s) >= 5


async def test_a_minute_of_silence_is_waited_out_with_growing_waits(serving):
    chain = Chain(1, 2)
    chain.mischief = {2: [status(503)] * 15}
    heights, clock, _ = await heights_of(chain, serving, 2)
    assert heights == [1, 2]
    assert clock.monotonic_s() > 60
    assert clock.slept_s == sorted(clock.slept_s)


async def test_a_block_that_is_not_there_yet_is_asked_for_within_a_second(serving):
    chain = Chain(1, 2)
    chain.mischief = {2: [status(404)] * 30}
    heights, clock, stream = await heights_of(chain, serving, 2)
    assert heights == [1, 2]
    assert max(clock.slept_s) <= 1.0
    assert stream.trouble is None


async def test_a_held_request_is_repeated_at_once(serving):
    chain, clock = Chain(1, 2), EagerClock()

    async def held(request):
        assert request.query["wait"] == "15"
        await clock.sleep(15)
        return web.Response(status=404)

    chain.mischief = {2: [held] * 4}
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        await first(stream, 2)
    assert set(clock.slept_s) == {15}


async def test_without_a_cursor_the_stream_begins_at_the_final_block_or_where_it_is_told(serving):
    chain = Chain(*range(1, 8))
    heights, _, _ = await heights_of(chain, serving, 1, after=None)
    assert heights == [7]
    clock = EagerClock()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(chain.handle))
        rpc = await stack.enter_async_context(Rpc([url], clock))
        stream = await stack.enter_async_context(NeardataStream(url, rpc, Watched(CONTRACT), clock, start_height=3))
        assert [news.cursor.height for news in await first(stream, 2, after=None)] == [3, 4]


async def test_nothing_that_happens_once_the_stream_is_open_is_passed_over(serving):
    chain, clock = Chain(1, 2), EagerClock()
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        chain.blocks |= Chain(*range(1, 6)).blocks
        assert [news.cursor.height for news in await first(stream, 4, after=None)] == [2, 3, 4, 5]


async def test_only_the_contracts_own_successful_receipts_count(serving):
    chain, clock = Chain(), EagerClock()
    chain.blocks = {
        1: block(1, completed(1), executor="other.near"),
        2: block(2, completed(2), status={"Failure": {}}),
        3: block(3, completed(3), status={"SuccessReceiptId": "x"}, tx_hash=None),
        4: block(4, completed(4), status="Unknown"),
        5: block(5, "hello", "EVENT_JSON:{", completed(5)),
    }
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        found = await first(stream, 5)
    assert [[event.request_id for event in news.events] for news in found] == [[], [], [3], [], [5]]


async def test_odd_words_about_a_receipt_do_not_keep_its_events_from_the_store(serving, tmp_path):
    chain, clock = Chain(), EagerClock()
    odd = block(1, asked(7), "EVENT_JSON:{near-outlayer", tx_hash="\ud800" * 10**5)
    entry = odd["shards"][0]["receipt_execution_outcomes"][0]
    entry["receipt"] |= {"receipt_id": "\ud800" * 10**5, "receipt": {"Action": {"signer_public_key": "\udfff" * 10**5}}}
    entry["execution_outcome"]["outcome"]["gas_burnt"] = 2**100
    chain.blocks = {1: odd}
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        (found,) = await first(stream, 1)
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store:
        (job,) = await store.admit(found)
        assert (await store.get(7)).origin == job.origin
        assert (await store.counts())["unreadable"] == 1
    assert len(job.origin.receipt_id) == 64


@pytest.mark.parametrize(
    "field",
    [
        {"hash": "\ud800"},
        {"hash": "h" * 65},
        {"prev_hash": 5},
        {"timestamp_nanosec": str(2**64)},
        {"timestamp_nanosec": "-1"},
        {"timestamp_nanosec": float("inf")},
    ],
)
@pytest.mark.parametrize("logs", [[completed(1)], []], ids=["ours", "of others"])
async def test_a_header_that_no_chain_makes_is_no_block(serving, field, logs):
    chain = Chain(1, 2)
    lie = block(1, *logs)
    lie["block"]["header"] |= field
    chain.mischief[1] = [lie, lie]
    heights, clock, _ = await heights_of(chain, serving, 2)
    assert heights == [1, 2]
    assert len(clock.slept_s) == 2


async def test_a_head_told_too_high_is_forgotten_within_a_few_blocks(serving):
    chain = Chain(*range(1, 21))
    chain.node = [{"result": {"header": {"height": 10**12, "hash": "h", "timestamp_nanosec": "1"}}}]
    heights, _, stream = await heights_of(chain, serving, 20)
    assert heights == list(range(1, 21))
    assert stream.head_height == 20


async def test_a_first_height_that_no_chain_has_is_asked_for_again(serving):
    chain, clock = Chain(*range(1, 6)), EagerClock()
    chain.node = [{"result": {"header": {"height": 10**12, "hash": "h", "timestamp_nanosec": "1"}}}]
    async with serving(chain.handle) as url, Rpc([url], clock) as rpc, NeardataStream(url, rpc, Watched(CONTRACT), clock) as stream:
        (found,) = await first(stream, 1, after=None)
    assert found.cursor.height == 5


class State:
    """A node that knows the contract's state only."""

    def __init__(self):
        self.height, self.pending, self.failures, self.garbled = 5, [], [], set()

    async def handle(self, request):
        body = await request.json()
        if self.failures:
            return self.failures.pop(0)
        if body["method"] == "block":
            self.height += 1
            header = {"height": self.height, "hash": f"h{self.height}", "timestamp_nanosec": "1"}
            return web.json_response({"result": {"header": header}})
        if body["params"]["method_name"] == "get_pending_request_ids":
            value = self.pending
        else:
            source = {"WasmUrl": {"url": "u", "hash": "h"}}
            number = json.loads(base64.b64decode(body["params"]["args_base64"]))["request_id"]
            value = (
                "half a request"
                if number in self.garbled
                else {"request_id": number, "sender_id": "a", "code_source": source, "payment": "1", "timestamp": 3}
            )
        result = {"result": list(json.dumps(value).encode()), "logs": [], "block_height": self.height, "block_hash": "h"}
        return web.json_response({"result": result})


async def test_without_a_block_api_new_and_vanished_requests_are_seen_in_the_state(serving):
    state, clock = State(), EagerClock()
    async with serving(state.handle) as url, Rpc([url], clock) as rpc:
        follow = RpcStream(rpc, Contract(rpc, CONTRACT), clock).follow(Cursor(5, "h5"))
        state.pending = [8]
        news = await anext(follow)
        assert [(type(event), event.request.request_id) for event in news.events] == [(Requested, 8)]
        assert (news.events[0].origin.transaction_hash, news.events[0].origin.block_height) == ("", 6)
        state.pending = [8, 9]
        assert [event.request.request_id for event in (await anext(follow)).events] == [9]
        state.failures = [web.Response(status=500), web.Response(text="<html>")]
        state.pending = [9]
        assert (await anext(follow)).events == (Completed(8, None, None),)
        assert (await anext(follow)).events == ()
        await follow.aclose()


async def test_without_a_block_api_a_request_that_cannot_be_read_is_recorded_and_stops_no_other(serving):
    state, clock = State(), EagerClock()
    async with serving(state.handle) as url, Rpc([url], clock) as rpc:
        follow = RpcStream(rpc, Contract(rpc, CONTRACT), clock).follow(Cursor(5, "h5"))
        state.pending, state.garbled = [8, 9], {8}
        unreadable, asked_for = (await anext(follow)).events
        assert (type(unreadable), unreadable.block_height) == (Unreadable, 6)
        assert "get_request(8)" in unreadable.reason
        assert asked_for.request.request_id == 9
        assert (await anext(follow)).events == ()  # recorded once
        await follow.aclose()
