"""The chain: its nodes, the contract, and what the operator's keys may do."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from oracle.cli.checks.check import Check, fail, ok, warn
from oracle.errors import ChainError, RpcUnavailable
from oracle.model import NEAR, YoctoNear, format_near, yocto_from_text
from oracle.near import Rpc, SigningKey
from oracle.near.rpc_errors import AccountUnknown, MethodMissing, ViewFailed
from oracle.ports import SystemClock
from oracle.settings import ChainSettings, Settings, redacted_url
from oracle.wiring.chain import Chain

ANSWER_METHODS = ("resolve_execution", "submit_execution_output", "submit_execution_output_and_resolve")
"""What a function-call key of the operator must be allowed to call (PROTOCOL, "Register contract")."""
EXTEND_METHOD = "extend_execution"
"""And this, where the contract has it."""

_TIMEOUT_S = 10.0
_OLD_HEAD_S = 120
_LOW_BALANCE = YoctoNear(NEAR)
_LOW_ALLOWANCE = YoctoNear(NEAR // 2)
"""About one answer's gas at the price it is bought for (300 Tgas lock 0.3 NEAR for a moment)."""


async def check_nodes(settings: ChainSettings) -> AsyncIterator[Check]:
    """Each node for itself: the second is of use only if it is right when the first is gone."""
    for url in settings.rpc_urls:
        yield await _check_node(url, settings)


async def _check_node(url: str, settings: ChainSettings) -> Check:
    place = redacted_url(url)
    try:
        async with Rpc([url], SystemClock(), timeout_s=_TIMEOUT_S) as rpc:
            started_s = time.monotonic()
            chain_id = await rpc.chain_id()
            answered_ms = (time.monotonic() - started_s) * 1000
            block = await rpc.final_block()
    except ChainError as error:
        mend = "start it with: localnet run" if settings.is_local_chain else "mend NEAR_RPC_URL, or the way there"
        return fail("node", f"{place}: {error}", mend)
    if chain_id != settings.near_network_id:
        return fail("node", f"{place} is {chain_id[:50]}, NEAR_NETWORK_ID is {settings.near_network_id}", "make the two the same")
    found = f"{place}: {chain_id}, final block {block.height}, answered in {answered_ms:.0f} ms"
    age_s = time.time() - block.timestamp_ns / 1e9
    if not settings.is_local_chain and age_s > _OLD_HEAD_S:
        return warn("node", f"{found}, made {age_s:,.0f} s ago", "the node lags, or this machine's clock is wrong; name another node first")
    return ok("node", found)


async def check_block_api(settings: Settings) -> Check:
    """One answer of the block API is enough to see that it is one."""
    url = settings.block_api_url
    if url is None:
        return ok("blocks", "over RPC; with NEARDATA_API_URL requests carry their transaction and receipt")
    place = redacted_url(url)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/v0/last_block/final") as response:
            head = await response.content.read(10)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return fail("blocks", f"{place}: {type(error).__name__}", "mend NEARDATA_API_URL, or leave it unset to read blocks over RPC")
    if status != 200 or not head.lstrip().startswith(b"{"):
        return fail("blocks", f"{place} answered with status {status} and no block", "mend NEARDATA_API_URL, or leave it unset")
    return ok("blocks", place)


async def check_contract(chain: Chain, settings: Settings) -> AsyncIterator[Check]:
    """Whether the contract is one of ours and takes our answers."""
    try:
        owner, operator = await _view(chain, "get_config")
        paused = bool(await _view(chain, "is_paused"))
        pricing = await chain.contract.pricing()
        can_extend = await chain.contract.can_extend()
    except (AccountUnknown, MethodMissing, ViewFailed) as error:
        yield fail("contract", f"{chain.contract_id}: {error}", "set OFFCHAINVM_CONTRACT_ID to the main contract, or deploy it there")
        return
    except (ChainError, TypeError, ValueError) as error:
        yield fail("contract", f"{chain.contract_id}: {error}", "see the nodes above")
        return
    if operator == settings.operator_account_id:
        yield ok("contract", f"{chain.contract_id}: operator {operator}, owner {owner}, base fee {format_near(pricing.base_fee)}")
    else:
        mend = f"set OPERATOR_ACCOUNT_ID to it, or let {owner} call set_operator"
        yield fail("contract", f"{chain.contract_id} takes answers of {operator} only, not of {settings.operator_account_id}", mend)
    if paused:
        yield warn("contract", f"{chain.contract_id} is paused: it takes no new requests", f"let {owner} call set_paused")
    if not can_extend:
        yield ok("contract", "has no extend_execution: work that outlasts the yield window is answered with a failure in time")


async def check_operator(chain: Chain, settings: Settings) -> AsyncIterator[Check]:
    """The operator's account and each of its keys."""
    account_id = settings.operator_account_id
    try:
        account = await chain.rpc.call("query", {"request_type": "view_account", "finality": "final", "account_id": account_id})
        balance = yocto_from_text(str(account["amount"]))  # type: ignore[index]
    except AccountUnknown:
        yield fail("operator", f"{account_id} does not exist", "create it, or mend OPERATOR_ACCOUNT_ID")
        return
    except (ChainError, KeyError, TypeError, ValueError) as error:
        yield fail("operator", f"{account_id}: {error}", "see the nodes above")
        return
    if balance < _LOW_BALANCE:
        yield warn("operator", f"{account_id} has {format_near(balance)}", "send it some NEAR: answers are paid from there")
    else:
        yield ok("operator", f"{account_id} has {format_near(balance)}")
    can_extend = await _can_extend(chain)
    for text in settings.operator_keys:
        yield await _check_key(chain, SigningKey.from_text(account_id, text), can_extend=can_extend)


async def _can_extend(chain: Chain) -> bool:
    try:
        return await chain.contract.can_extend()
    except ChainError:
        return False  # the check of the contract has said it


async def _check_key(chain: Chain, key: SigningKey, *, can_extend: bool) -> Check:
    methods = (*ANSWER_METHODS, EXTEND_METHOD) if can_extend else ANSWER_METHODS
    params = {"request_type": "view_access_key", "finality": "final", "account_id": key.account_id, "public_key": key.public_key}
    try:
        answer = await chain.rpc.call("query", params)
    except RpcUnavailable as error:
        return fail("key", f"{key.public_key}: {error}", "see the nodes above")
    except ChainError as error:
        answer = {"error": str(error)}
    match answer:
        case {"permission": "FullAccess"}:
            mend = f"give the worker a function-call key for {', '.join(methods)} on {chain.contract_id}"
            return warn("key", f"{key.public_key} may do everything with {key.account_id}", mend)
        case {"permission": {"FunctionCall": {"receiver_id": receiver_id, "method_names": list(allowed), **rest}}}:
            missing = [method for method in methods if allowed and method not in allowed]
            return _check_permission(key, chain.contract_id, receiver_id, missing, rest.get("allowance"))
        case _:
            return fail("key", f"{key.account_id} has no key {key.public_key}", "add it to the account, or mend OPERATOR_PRIVATE_KEY")


def _check_permission(key: SigningKey, contract_id: str, receiver_id: object, missing: list[str], allowance: object) -> Check:
    if receiver_id != contract_id:
        return fail("key", f"{key.public_key} may call {receiver_id} only", f"add a function-call key for {contract_id}")
    if missing == [EXTEND_METHOD]:
        found = f"{key.public_key} may not call {EXTEND_METHOD}: work that outlasts the yield window cannot be finished"
        return warn("key", found, "add a function-call key that may")
    if missing:
        return fail("key", f"{key.public_key} may not call {', '.join(missing)}", "add a function-call key that may")
    return _check_allowance(key, allowance)


def _check_allowance(key: SigningKey, allowance: object) -> Check:
    if allowance is None:
        return ok("key", f"{key.public_key} may answer, without an allowance to run out")
    try:
        left = yocto_from_text(str(allowance))
    except ValueError as error:
        return fail("key", f"{key.public_key}: its allowance is {error}", "see the nodes above")
    if left < _LOW_ALLOWANCE:
        found = f"{key.public_key} has {format_near(left)} of its allowance left"
        return warn("key", found, "add a new key: an allowance cannot be raised")
    return ok("key", f"{key.public_key} may answer; {format_near(left)} of its allowance left")


async def _view(chain: Chain, method: str) -> Any:
    try:
        return json.loads(await chain.contract.view(method, {}))
    except (ValueError, RecursionError) as error:
        raise RpcUnavailable(f"{method} did not answer with JSON") from error
