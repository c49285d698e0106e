"""`query`: exactly the members that py-near builds its dataclasses of, and the errors in the shapes that clients match."""

from base64 import b64encode

import pytest

from localnet import NEAR, KeyPair
from localnet.values.actions import AccessKey, AddKey, FunctionCallPermission
from localnet.values.hashes import hash_of, hash_to_text

BLOCK = {"block_height", "block_hash"}
NO_CODE = "1" * 32


def text(data):
    return b64encode(data).decode()


async def call(client, method, args=b"", account_id="greeter.test.near", **more):
    return await client.query("call_function", account_id=account_id, method_name=method, args_base64=text(args), **more)


async def test_an_account_is_shown_with_exactly_nearcores_members(client):
    view = await client.query("view_account", account_id="alice.test.near")
    assert view.keys() == {"amount", "locked", "code_hash", "storage_usage", "storage_paid_at"} | BLOCK
    assert (view["amount"], view["locked"], view["code_hash"], view["storage_usage"]) == (str(1_000 * NEAR), "0", NO_CODE, 182)
    status = await client.call("status")
    assert (view["block_height"], view["block_hash"]) == (
        status["sync_info"]["latest_block_height"],
        status["sync_info"]["latest_block_hash"],
    )


async def test_a_missing_account_is_an_error_whose_text_near_cli_matches(client, answered):
    with pytest.raises(answered) as raised:
        await client.query("view_account", account_id="nobody.near")
    assert raised.value.data == "account nobody.near does not exist while viewing"
    assert raised.value.cause == "UNKNOWN_ACCOUNT"
    assert raised.value.info.keys() == {"requested_account_id"} | BLOCK
    assert raised.value.error["name"] == "HANDLER_ERROR"
    assert raised.value.error["code"] == -32000


async def test_a_full_access_key_has_exactly_four_members(client, alice):
    view = await client.query("view_access_key", account_id="alice.test.near", public_key=str(alice.key.public_key))
    assert view.keys() == {"nonce", "permission"} | BLOCK
    assert view["permission"] == "FullAccess"


async def test_a_function_call_keys_permission_is_shown_whole(chain, alice, serving):
    key = KeyPair.from_seed("limited").public_key
    permission = FunctionCallPermission(5 * NEAR, "greeter.test.near", ("greet", "store"))
    alice.send(alice.account_id, [AddKey(key, AccessKey(0, permission))]).raise_for_failure()
    async with serving(chain) as client:
        # py-near sends a key without its curve.
        view = await client.query("view_access_key", account_id="alice.test.near", public_key=str(key).partition(":")[2])
        listed = await client.query("view_access_key_list", account_id="alice.test.near")
    limited = {"allowance": str(5 * NEAR), "receiver_id": "greeter.test.near", "method_names": ["greet", "store"]}
    assert view["permission"] == {"FunctionCall": limited}
    assert listed.keys() == {"keys"} | BLOCK
    assert {"public_key": str(key), "access_key": {"nonce": view["nonce"], "permission": view["permission"]}} in listed["keys"]
    assert len(listed["keys"]) == 2


async def test_an_unknown_key_is_told_in_the_shape_of_a_success(client):
    key = KeyPair.from_seed("nobody's").public_key
    view = await client.query("view_access_key", account_id="alice.test.near", public_key=str(key))
    assert view.keys() == {"error", "logs"} | BLOCK
    assert view["error"] == f"access key {key} does not exist while viewing"


async def test_a_view_call_gives_bytes_as_numbers_and_its_logs(client):
    view = await call(client, "greet", b"you")
    assert view.keys() == {"result", "logs"} | BLOCK
    assert (bytes(view["result"]), view["logs"]) == (b'"hello you"', ["greeting"])


@pytest.mark.parametrize(
    ("account_id", "method", "error"),
    [
        ("greeter.test.near", "boom", 'HostError(GuestPanic { panic_msg: "it went wrong" })'),
        ("greeter.test.near", "nothing", "MethodResolveError(MethodNotFound)"),
        ("greeter.test.near", "store", 'HostError(ProhibitedInView { method_name: "storage_write" })'),
        ("alice.test.near", "any", 'CompilationError(CodeDoesNotExist { account_id: "alice.test.near" })'),
    ],
)
async def test_a_failing_view_call_is_told_in_the_shape_of_a_success(client, account_id, method, error):
    view = await call(client, method, account_id=account_id)
    assert view.keys() == {"error", "logs"} | BLOCK
    assert view["error"] == f"wasm execution failed with error: {error}"


async def test_code_is_shown_with_its_hash(client, answered):
    view = await client.query("view_code", account_id="greeter.test.near")
    assert view == view | {"code_base64": text(b"python contract 0"), "hash": hash_to_text(hash_of(b"python contract 0"))}
    with pytest.raises(answered) as raised:
        await client.query("view_code", account_id="alice.test.near")
    assert raised.value.data == "Contract code for contract ID #alice.test.near has never been observed on the node"
    assert raised.value.cause == "NO_CONTRACT_CODE"


async def test_a_contracts_state_is_shown_by_prefix_and_by_page(chain, alice, contracts, serving):
    def fill(call):
        for key in (b"a1", b"a2", b"a3", b"b1"):
            call.write(key, b"value of " + key)

    chain.create_account("filled").deploy(contracts.add(fill=fill))
    alice.call("filled.test.near", "fill").raise_for_failure()
    async with serving(chain) as client:
        whole = await client.query("view_state", account_id="filled.test.near", prefix_base64="")
        some = await client.query("view_state", account_id="filled.test.near", prefix_base64=text(b"a"), limit=2)
        rest = await client.query("view_state", account_id="filled.test.near", prefix_base64=text(b"a"), after_key_base64=some["last_key"])
    assert whole.keys() == {"values"} | BLOCK
    assert [row["key"] for row in whole["values"]] == [text(key) for key in (b"a1", b"a2", b"a3", b"b1")]
    assert whole["values"][0] == {"key": text(b"a1"), "value": text(b"value of a1")}
    assert [row["key"] for row in some["values"] + rest["values"]] == [text(key) for key in (b"a1", b"a2", b"a3")]
    assert "last_key" not in rest


async def test_a_state_above_nearcores_limit_is_refused_by_name(chain, alice, contracts, serving, answered):
    chain.create_account("filled").deploy(contracts.add(fill=lambda call: call.write(b"k", bytes(50_000))))
    alice.call("filled.test.near", "fill").raise_for_failure()
    async with serving(chain) as client:
        with pytest.raises(answered, match="is too large to be viewed") as raised:
            await client.query("view_state", account_id="filled.test.near", prefix_base64="")
    assert raised.value.cause == "TOO_LARGE_CONTRACT_STATE"


async def test_only_the_latest_blocks_state_is_kept(client, answered):
    latest = (await client.call("status"))["sync_info"]["latest_block_height"]
    by_height = {"request_type": "view_account", "account_id": "alice.test.near", "block_id": latest}
    assert (await client.call("query", by_height))["block_height"] == latest
    with pytest.raises(answered, match="ask for finality final") as raised:
        await client.call("query", by_height | {"block_id": latest - 1})
    assert raised.value.cause == "GARBAGE_COLLECTED_BLOCK"
    assert raised.value.info["block_height"] == latest - 1
    with pytest.raises(answered, match=f"BLOCK HEIGHT: {latest + 1}") as raised:
        await client.call("query", by_height | {"block_id": latest + 1})
    assert raised.value.cause == "UNKNOWN_BLOCK"


async def test_global_contracts_are_never_there(client, answered):
    for params in ({"code_hash": NO_CODE}, {"account_id": "alice.test.near"}):
        kind = "view_global_contract_code" if "code_hash" in params else "view_global_contract_code_by_account_id"
        with pytest.raises(answered) as raised:
            await client.query(kind, **params)
        assert raised.value.cause == "NO_GLOBAL_CONTRACT_CODE"


async def test_an_unknown_kind_of_query_names_the_known_ones(client, answered):
    with pytest.raises(answered, match="unknown variant `view_everything`, expected one of view_account, view_access_key"):
        await client.query("view_everything")
