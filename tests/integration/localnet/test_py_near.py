"""py-near, unmodified: its dataclasses take exactly nearcore's members, so a member too many or too few shows here."""

import json
from base64 import b64decode
from contextlib import asynccontextmanager

import pytest
from py_near.account import Account, ViewFunctionError
from py_near.exceptions.exceptions import FunctionCallError
from py_near.exceptions.provider import (
    InvalidNonce,
    NotEnoughBalance,
    UnknownAccount,
    UnknownBlockError,
)
from py_near.models import ActionType

from localnet import NEAR, KeyPair
from localnet.values.hashes import hash_from_text, hash_of, hash_to_text


@asynccontextmanager
async def connected(served, account_id, key):
    account = Account(account_id, key.secret_key, served.rpc_url)
    await account.startup()
    try:
        yield account
    finally:
        await account.shutdown()


@pytest.fixture
async def root(served):
    async with connected(served, served.root_id, served.root_key) as account:
        yield account


@pytest.fixture
async def greeter(served, root, greeter_wasm):
    """An account of its own for each test, with the contract on it."""
    key = KeyPair.random()
    account_id = f"greeter-{key.public_key.raw.hex()[:8]}.{served.root_id}"
    await root.create_account(account_id, str(key.public_key), 10 * NEAR)
    async with connected(served, account_id, key) as account:
        deployed = await account.deploy_contract(greeter_wasm)
        assert "SuccessValue" in deployed.status
        yield account


async def test_py_near_creates_funds_and_reads_accounts(served, root):
    assert root.chain_id == "localnet"
    key = KeyPair.random()
    created = await root.create_account("alice.test.near", str(key.public_key), NEAR)
    kinds = {action.transactions_type for action in created.transaction.actions}
    assert kinds == {ActionType.CREATE_ACCOUNT, ActionType.ADD_KEY, ActionType.TRANSFER}
    sent = await root.send_money("alice.test.near", 2 * NEAR)
    assert sent.transaction.actions[0].deposit == str(2 * NEAR)
    assert await root.get_balance("alice.test.near") == 3 * NEAR
    async with connected(served, "alice.test.near", key) as alice:
        state = await alice.fetch_state()
        assert (state["amount"], state["storage_usage"], state["code_hash"]) == (str(3 * NEAR), 182, "1" * 32)


async def test_py_near_adds_limited_keys_and_reads_them(served, root):
    key, root_key = KeyPair.random(), served.root_key.public_key
    await root.add_public_key(str(key.public_key), "near", ["create_account"], NEAR)
    keys = {listed.public_key: listed.access_key for listed in await root.get_access_key_list()}
    limited = {"receiver_id": "near", "method_names": ["create_account"], "allowance": str(NEAR)}
    assert keys[str(key.public_key)]["permission"] == {"FunctionCall": limited}
    assert keys[str(root_key)]["permission"] == "FullAccess"
    await root.delete_public_key(str(key.public_key))
    assert str(key.public_key) not in {listed.public_key for listed in await root.get_access_key_list()}


async def test_py_near_deploys_calls_and_views(greeter, root, greeter_wasm):
    assert (await greeter.fetch_state())["code_hash"] == hash_to_text(hash_of(greeter_wasm))
    before = await root.view_function(greeter.account_id, "told", {})
    assert before.result is None
    told = await root.function_call(greeter.account_id, "tell", {"text": "hello"}, amount=1)
    assert json.loads(b64decode(told.status["SuccessValue"])) == {"text": "hello"}
    assert told.logs == ["it was told"]
    call = told.transaction.actions[0]
    assert (call.method_name, call.args, call.deposit) == ("tell", {"text": "hello"}, "1")
    after = await root.view_function(greeter.account_id, "told", {})
    assert after.result == {"text": "hello"}
    assert after.block_height > before.block_height


async def test_py_near_sends_without_waiting_and_reads_the_transaction_later(greeter, root):
    tx_hash = await root.function_call(greeter.account_id, "tell", {"text": "later"}, included=True)
    result = await root.provider.get_tx(tx_hash, root.account_id)
    assert (result.transaction.hash, result.transaction.receiver_id) == (tx_hash, greeter.account_id)
    status = await root.provider.get_tx_status(tx_hash, root.account_id)
    assert {receipt["receipt_id"] for receipt in status.receipts} <= {outcome.receipt_id for outcome in status.receipt_outcome}
    block = await root.provider.get_block((await root.provider.get_status())["sync_info"]["latest_block_height"])
    assert (await root.provider.get_chunk(block["chunks"][0]["chunk_hash"]))["header"] == block["chunks"][0]
    assert (await root.provider.get_validators())["current_validators"][0]["account_id"] == root.account_id


async def test_py_near_sends_another_ones_signed_actions(greeter, root):
    from py_near import transactions  # noqa: PLC0415 (slow to load)

    call = transactions.create_function_call_action("tell", b'{"text":"meta"}', 10**13, 0)
    delegate = await greeter.create_delegate_action(receiver_id=greeter.account_id, actions=[call])
    signature = greeter.sign_delegate_transaction(delegate)
    result = await root.call_delegate_transaction(delegate_action=delegate, signature=signature)
    assert result.transaction.actions[0].transactions_type == ActionType.DELEGATE
    assert (await root.view_function(greeter.account_id, "told", {})).result == {"text": "meta"}


async def test_py_near_tells_what_went_wrong_by_its_own_names(greeter, root):
    failed = await root.function_call(greeter.account_id, "boom", {})
    assert failed.status["Failure"]["ActionError"]["kind"]["FunctionCallError"]["ExecutionError"].endswith("it went wrong")
    assert isinstance(failed.receipt_outcome[0].error, FunctionCallError)
    with pytest.raises(ViewFunctionError, match="it went wrong"):
        await root.view_function(greeter.account_id, "boom", {})
    with pytest.raises(ViewFunctionError, match="MethodNotFound"):
        await root.view_function(greeter.account_id, "nothing", {})
    with pytest.raises(UnknownAccount):
        await root.provider.get_account("nobody.test.near")
    with pytest.raises(UnknownBlockError):
        await root.provider.get_block(10**9)
    with pytest.raises(NotEnoughBalance):
        await greeter.send_money(root.account_id, 10**6 * NEAR)


async def test_py_near_raises_for_a_nonce_that_was_used(served, root):
    from py_near import transactions  # noqa: PLC0415 (slow to load)

    await root.send_money("near", 1)
    used = (await root.get_access_key(None)).nonce
    block_hash = hash_from_text((await root.provider.get_status())["sync_info"]["latest_block_hash"])
    action = transactions.create_transfer_action(1)
    stale = transactions.sign_and_serialize_transaction(root.account_id, root.signer, "near", used, [action], block_hash)
    with pytest.raises(InvalidNonce):
        await root.provider.send_tx_and_wait(stale)


async def test_py_near_is_told_of_a_key_that_the_account_does_not_have(served):
    async with connected(served, served.root_id, KeyPair.random()) as stranger:
        with pytest.raises(ValueError, match=r"access key ed25519:\w+ does not exist while viewing"):
            await stranger.send_money("near", 1)
