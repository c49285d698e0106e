"""Transactions whose senders wait for no verdict: answered at once, judged before anything else, never lost, never doubled."""

import asyncio
from base64 import b64decode, b64encode

import pytest

from localnet.runtime import pool
from localnet.state.store import StateError
from localnet.values.actions import Transfer
from localnet.values.hashes import hash_from_text
from localnet.values.transaction import Transaction, read_signed_transaction

ASYNC = "broadcast_tx_async"


def transfers(account, count, *, block_hash=None):
    first = account._chain.access_key(account.account_id, account.key.public_key).nonce + 1
    named = block_hash or account._chain.head.hash
    return [
        Transaction(account.account_id, account.key.public_key, first + index, "near", named, (Transfer(1),)).sign(account.key)
        for index in range(count)
    ]


def text(signed):
    return b64encode(signed.encoded).decode()


async def test_a_hash_is_answered_while_a_contract_runs_and_the_transaction_runs_afterwards(chain, alice, holder, serving):
    ours = transfers(alice, 3)
    async with serving(chain) as client:
        holding = asyncio.create_task(client.commit(chain.root.sign(holder.account_id, [holder.call])))
        await asyncio.to_thread(holder.entered.wait, 10)
        hashes = [await client.call(ASYNC, [text(each)]) for each in [*ours, ours[0]]]
        assert not holding.done()
        holder.gate.set()
        await holding
        for tx_hash in hashes:
            params = {"tx_hash": tx_hash, "sender_account_id": alice.account_id, "wait_until": "FINAL"}
            assert "SuccessValue" in (await client.call("tx", params))["status"]
        heights = range((await client.get("/health"))[1]["height"] + 1)
    included = [done.signed.hash for height in heights for done in chain.block(height).transactions]
    assert [included.count(each.hash) for each in ours] == [1, 1, 1]


async def test_who_asks_after_the_hash_finds_what_was_sent(chain, alice, serving):
    async with serving(chain, block_time_s=3600, transaction_timeout_s=0) as client:
        tx_hash = await client.call(ASYNC, [text(transfers(alice, 1)[0])])
        # It waits for a block: not unknown, and not there either.
        with pytest.raises(Exception, match="TIMEOUT_ERROR"):
            await client.call("tx", [tx_hash, alice.account_id])


async def test_what_was_answered_belongs_to_the_chain_when_it_is_served_no_more(chain, alice, serving):
    async with serving(chain, block_time_s=3600) as client:
        hashes = [await client.call(ASYNC, [text(each)]) for each in transfers(alice, 5)]
    assert all(chain.is_waiting(hash_from_text(tx_hash)) for tx_hash in hashes)
    chain.run_until_idle()
    assert all(chain.transaction(hash_from_text(tx_hash)).succeeded for tx_hash in hashes)


async def test_bad_signatures_and_other_chains_are_told_to_who_waits_and_never_reach_a_block(chain, alice, serving, answered):
    forged = b64decode(text(transfers(alice, 1)[0]))[:-64] + bytes(64)
    foreign = text(transfers(alice, 1, block_hash=bytes(32))[0])
    async with serving(chain) as client:
        for transaction, reason in ((b64encode(forged).decode(), "InvalidSignature"), (foreign, "InvalidChain")):
            with pytest.raises(answered, match=reason):
                await client.commit(transaction)
            tx_hash = await client.call(ASYNC, [transaction])
            with pytest.raises(answered, match="UNKNOWN_TRANSACTION"):
                await client.call("tx", [tx_hash, alice.account_id])
    assert not chain.has_work


async def test_a_full_pool_is_told_and_takes_again_after_a_block(chain, alice, serving, answered, monkeypatch):
    monkeypatch.setattr(pool, "MOST_TRANSACTIONS", 3)
    ours = [text(each) for each in transfers(alice, 5)]
    async with serving(chain, block_time_s=3600) as client:
        for each in ours[:3]:
            await client.call(ASYNC, [each])
        with pytest.raises(answered, match="3 transactions wait for a block already"):
            await client.call(ASYNC, [ours[3]])
        await client.call("sandbox_fast_forward", {"delta_height": 1})
        for each in ours[3:]:
            await client.call(ASYNC, [each])


async def test_a_disk_that_is_full_when_they_are_judged_is_told_and_nothing_is_lost(open_chain, tmp_path, serving, monkeypatch):
    monkeypatch.setattr("localnet.rpc.production._FIRST_RETRY_S", 0.001)
    chain = open_chain(tmp_path)
    alice = chain.create_account("alice")
    ours = transfers(alice, 2)

    def full(*_):
        raise StateError("no space left on device")

    async with serving(chain) as client:
        with monkeypatch.context() as patch:
            patch.setattr(chain._store, "add_pooled", full)
            hashes = [await client.call(ASYNC, [text(each)]) for each in ours]
            while (health := await client.get("/health"))[0] == 200:
                pass
            assert "no space left on device" in health[1]["reason"]
        for tx_hash in hashes:
            while (await status(client, tx_hash)) != "FINAL":
                pass
    assert chain.intake_log.size_bytes == 0


async def status(client, tx_hash):
    answer = await client.post(f'{{"method":"tx","params":{{"tx_hash":"{tx_hash}","sender_account_id":"x.near"}}}}'.encode())
    return answer[1].get("result", {}).get("final_execution_status")


async def test_a_log_that_cannot_be_written_is_told_to_the_sender(chain, alice, serving, answered, monkeypatch):
    def full(_):
        raise StateError("no space left on device")

    async with serving(chain) as client:
        monkeypatch.setattr(chain.intake_log, "append", full)
        with pytest.raises(answered, match=r"INTERNAL_ERROR.*no space left"):
            await client.call(ASYNC, [text(transfers(alice, 1)[0])])


def test_what_a_killed_process_had_not_judged_is_judged_at_the_next_start(open_chain, tmp_path):
    chain = open_chain(tmp_path)
    alice = chain.create_account("alice")
    done, waits, *fresh = transfers(alice, 4)
    chain.submit(done)
    chain.run_until_idle()
    chain.submit(waits)
    forged = fresh[0].encoded[:-64] + bytes(64)
    for encoded in (done.encoded, waits.encoded, b"no transaction", forged, fresh[1].encoded, fresh[1].encoded):
        chain.intake_log.append(encoded)
    chain.close()
    again = open_chain(tmp_path)
    assert [again.is_waiting(each.hash) for each in (done, waits, read_signed_transaction(forged), fresh[1])] == [False, True, False, True]
    assert again.intake_log.entries() == ()


def test_more_than_the_pool_holds_is_taken_up_block_by_block(open_chain, tmp_path, monkeypatch):
    chain = open_chain(tmp_path)
    alice = chain.create_account("alice")
    ours = transfers(alice, 5)
    for each in ours:
        chain.intake_log.append(each.encoded)
    chain.close()
    monkeypatch.setattr(pool, "MOST_TRANSACTIONS", 2)
    again = open_chain(tmp_path)
    again.run_until_idle()
    assert all(again.transaction(each.hash).succeeded for each in ours)
