"""The contract's views, over RPC (PROTOCOL, "Views"); methods that only newer contracts have are found out by asking."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from oracle.errors import RpcUnavailable
from oracle.model import MaxLimits, Pricing, Request, yocto_from_text
from oracle.near.rpc import Rpc
from oracle.near.rpc_errors import MethodMissing, ViewFailed, view_error
from oracle.near.wire import MAX_REQUEST_ID, request_from_json

PAGE = 100
"""What the deployed contract gives when no limit is named."""
MAX_PAGES = 1_000
"""A hundred thousand requests that wait at once; without an end a broken node could keep us turning pages for ever."""
_MAX_PASSES = 5


class RequestUnreadable(RpcUnavailable):
    """A node answered with something that is no request; another node, or a later look, may do better."""


class Contract:
    """`ReadContract` of one contract."""

    def __init__(self, rpc: Rpc, contract_id: str) -> None:
        self._rpc = rpc
        self._contract_id = contract_id

    async def view(self, method: str, args: dict[str, object], *, at_least_height: int = 0) -> bytes:
        """
        Call a view method; returns what it returns, as bytes of JSON.

        Raises:
            MethodMissing, ViewFailed: the contract refused.
            RpcUnavailable: no node answers, or it answered of a block below `at_least_height`.
        """
        params = {
            "request_type": "call_function",
            "finality": "final",
            "account_id": self._contract_id,
            "method_name": method,
            "args_base64": base64.b64encode(json.dumps(args).encode()).decode(),
        }
        answer = await self._rpc.call("query", params)
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise view_error(answer["error"])
        try:
            numbers, height = answer["result"], answer["block_height"]  # type: ignore[index]
            result = bytes(numbers) if isinstance(numbers, list) else None  # of a number `bytes` would make so many zeros
        except (KeyError, TypeError, ValueError) as error:
            raise RpcUnavailable(f"the node's answer to {method} cannot be read") from error
        if result is None:
            raise RpcUnavailable(f"the node's answer to {method} cannot be read")
        if not isinstance(height, int) or height < at_least_height:
            raise RpcUnavailable(f"the node lags: it answered of block {height}, and block {at_least_height} is final")
        return result

    async def pending_request_ids(self, *, at_least_height: int = 0) -> Sequence[int]:
        """
        All requests that wait for an answer, in order.

        Pages are read at different moments while requests come and go, so when there is more than one the whole list is read again until
        that tells nothing new.
        """
        found: set[int] = set()
        for _ in range(_MAX_PASSES):
            known, pages = len(found), 0
            while True:
                page = await self._page_of_ids(pages * PAGE, at_least_height)
                found.update(page)
                pages += 1
                if len(page) < PAGE:
                    break
                if pages == MAX_PAGES:
                    raise RpcUnavailable(f"get_pending_request_ids has more than {MAX_PAGES} pages")
            if pages == 1 or len(found) == known:
                break
        return sorted(found)

    async def _page_of_ids(self, from_index: int, at_least_height: int) -> list[int]:
        ids = await self._view_json("get_pending_request_ids", {"from_index": from_index, "limit": PAGE}, at_least_height=at_least_height)
        if not (isinstance(ids, list) and all(isinstance(found, int) and 0 <= found <= MAX_REQUEST_ID for found in ids)):
            raise RpcUnavailable("get_pending_request_ids did not answer with a list of numbers")
        return ids

    async def request(self, request_id: int, *, at_least_height: int = 0) -> Request | None:
        """The request with its input; None when it is settled or was never made. RequestUnreadable when it is not what we know."""
        raw = await self.view("get_request", {"request_id": request_id}, at_least_height=at_least_height)
        if raw.strip() in {b"null", b""}:
            return None
        try:
            return request_from_json(raw)
        except ValueError as error:
            raise RequestUnreadable(f"get_request({request_id}) cannot be read: {error}") from error

    async def pricing(self) -> Pricing:
        """`get_pricing`: four amounts."""
        fees = await self._view_json("get_pricing", {})
        try:
            base, per_million, per_ms, per_compile_ms = (yocto_from_text(str(fee)) for fee in fees)
        except (TypeError, ValueError, OverflowError) as error:
            raise RpcUnavailable("get_pricing did not answer with four amounts") from error
        return Pricing(base, per_million, per_ms, per_compile_ms)

    async def max_limits(self) -> MaxLimits:
        """`get_max_limits`: instructions, seconds, compile seconds."""
        limits = await self._view_json("get_max_limits", {})
        try:
            instructions, seconds, compile_seconds = (int(limit) for limit in limits)
        except (TypeError, ValueError, OverflowError) as error:
            raise RpcUnavailable("get_max_limits did not answer with three numbers") from error
        return MaxLimits(instructions, seconds, compile_seconds)

    async def can_extend(self) -> bool:
        """
        Whether the contract has `extend_execution`.

        Asked by calling it as a view: a method that is there fails because views may not know their caller, a missing one fails as missing.
        """
        try:
            await self.view("extend_execution", {"request_id": 0})
        except MethodMissing:
            return False
        except ViewFailed:
            return True
        return True

    async def keeps_receipts(self) -> bool:
        """Whether the contract keeps how requests ended (`get_outcome`), and with it the hash of the receipt."""
        try:
            await self.view("get_outcome", {"request_id": 0})
        except MethodMissing:
            return False
        except ViewFailed:
            return True
        return True

    async def event_standard(self) -> str | None:
        """The `standard` of the contract's events; None where the contract does not tell it."""
        try:
            metadata = await self._view_json("get_event_metadata", {})
        except (MethodMissing, ViewFailed):
            return None
        match metadata:
            case [str(standard), *_]:
                return standard
            case {"standard": str(standard)}:
                return standard
            case _:
                return None

    async def _view_json(self, method: str, args: dict[str, object], *, at_least_height: int = 0) -> Any:
        raw = await self.view(method, args, at_least_height=at_least_height)
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise RpcUnavailable(f"the contract's answer to {method} is not JSON") from error
