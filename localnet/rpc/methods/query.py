"""
`query`: accounts, keys, code, state and view calls, as they are after the latest block.

Two failures have the shape of a success, because nodes still send them so and clients match their texts: a failing view call, and an
unknown key.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from localnet.chain import Chain
from localnet.parameters import parameters
from localnet.rpc.errors import ParseError, RpcError
from localnet.rpc.node import Node
from localnet.rpc.params import Params
from localnet.rpc.references import require_latest
from localnet.rpc.translate import block_at, rpc_error
from localnet.rpc.views import Json, access_key_view, base64_text
from localnet.values.errors import ChainError, UnknownAccessKey, ViewFailed
from localnet.values.hashes import hash_to_text

MAX_STATE_BYTES = 50_000
"""Keys and values that `view_state` shows at once (nearcore's `trie_viewer_state_size_limit`); a longer state is read by pages."""

_MAX_KEY_BYTES = 2048


async def query(node: Node, raw: Any) -> Json:
    """Answer one query in the chain's thread, so that state and block belong together."""
    params = Params(raw)
    kind = params.text("request_type")
    view = VIEWS.get(kind)
    if view is None:
        raise ParseError(f"Failed parsing args: unknown variant `{kind[:80]}`, expected one of {', '.join(VIEWS)}")
    return await node.run(partial(_answer, view, params))


def _answer(view: Callable[[Chain, Params], Json], params: Params, chain: Chain) -> Json:
    head = chain.head
    try:
        require_latest(chain, params.block_reference())
        return view(chain, params) | block_at(head)
    except (ViewFailed, UnknownAccessKey) as error:
        return {"error": str(error), "logs": []} | block_at(head)
    except ChainError as error:
        raise rpc_error(error, head) from error


def _view_account(chain: Chain, params: Params) -> Json:
    account = chain.account(params.account_id())
    return {
        "amount": str(account.amount_yocto),
        "locked": str(account.locked_yocto),
        "code_hash": hash_to_text(account.code_hash),
        "storage_usage": account.storage_usage_bytes,
        "storage_paid_at": 0,
    }


def _view_access_key(chain: Chain, params: Params) -> Json:
    return access_key_view(chain.access_key(params.account_id(), params.public_key()))


def _view_access_key_list(chain: Chain, params: Params) -> Json:
    keys = chain.access_keys(params.account_id())
    return {"keys": [{"public_key": str(key.public_key), "access_key": access_key_view(key.access_key)} for key in keys]}


def _call_function(chain: Chain, params: Params) -> Json:
    limits = parameters().limits
    method_name = params.text("method_name", most=limits.max_length_method_name)
    result = chain.view(params.account_id(), method_name, params.data("args_base64", most=limits.max_arguments_length))
    return {"result": list(result.value), "logs": list(result.logs)}


def _view_code(chain: Chain, params: Params) -> Json:
    code = chain.code(params.account_id())
    return {"code_base64": base64_text(code.code), "hash": hash_to_text(code.hash)}


def _view_state(chain: Chain, params: Params) -> Json:
    account_id = params.account_id()
    chain.account(account_id)
    prefix = params.data("prefix_base64", most=_MAX_KEY_BYTES) if params.has("prefix_base64") else b""
    after = params.data("after_key_base64", most=_MAX_KEY_BYTES) if params.has("after_key_base64") else None
    limit = params.integer("limit", most=2**32 - 1) if params.has("limit") else None
    rows = [(key, value) for key, value in chain.contract_state(account_id, prefix) if after is None or key > after]
    page = rows if limit is None else rows[:limit]
    if sum(len(key) + len(value) for key, value in page) > MAX_STATE_BYTES:
        text = f"State of contract {account_id} is too large to be viewed"
        raise RpcError("TOO_LARGE_CONTRACT_STATE", text, {"contract_account_id": account_id, **block_at(chain.head)})
    view: Json = {"values": [{"key": base64_text(key), "value": base64_text(value)} for key, value in page]}
    if len(page) < len(rows) and page:
        view["last_key"] = base64_text(page[-1][0])
    return view


def _no_global_contract(chain: Chain, params: Params) -> Json:
    identifier = {"hash": hash_to_text(params.hash("code_hash"))} if params.has("code_hash") else {"account_id": params.account_id()}
    raise RpcError(
        "NO_GLOBAL_CONTRACT_CODE",
        f"Global contract code with identifier {identifier} has never been observed on the node",
        {"identifier": identifier, **block_at(chain.head)},
    )


VIEWS: dict[str, Callable[[Chain, Params], Json]] = {
    "view_account": _view_account,
    "view_access_key": _view_access_key,
    "view_access_key_list": _view_access_key_list,
    "call_function": _call_function,
    "view_code": _view_code,
    "view_state": _view_state,
    "view_global_contract_code": _no_global_contract,
    "view_global_contract_code_by_account_id": _no_global_contract,
}

METHODS = {"query": query}
