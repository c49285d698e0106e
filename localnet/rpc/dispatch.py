"""From a method's name to its handler."""

from collections.abc import Awaitable, Callable
from typing import Any

from localnet.rpc.envelope import Request
from localnet.rpc.errors import InternalError, MethodNotFound
from localnet.rpc.methods import blocks, light_client, network, protocol, query, sandbox, transactions
from localnet.rpc.node import Node
from localnet.state.store import StateError

METHODS: dict[str, Callable[[Node, Any], Awaitable[Any]]] = {
    **blocks.METHODS,
    **light_client.METHODS,
    **network.METHODS,
    **protocol.METHODS,
    **query.METHODS,
    **sandbox.METHODS,
    **transactions.METHODS,
}


MAX_WAITING = 4096
"""What may wait for the chain before requests are refused: this is what bounds memory under a flood."""


async def answer(node: Node, request: Request) -> Any:
    """
    What the method gives.

    Raises:
        RpcError: what the client is told instead.
    """
    handler = METHODS.get(request.method)
    if handler is None:
        raise MethodNotFound(request.method)
    if node.waiting >= MAX_WAITING:
        raise InternalError(f"{node.waiting} requests wait for the chain; at most {MAX_WAITING} may")
    try:
        return await handler(node, request.params)
    except StateError as error:
        raise InternalError(str(error)) from error
