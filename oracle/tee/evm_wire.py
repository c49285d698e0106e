"""
The one view of a DstackApp contract, asked through web3.

Imported when it is first asked for: web3 is an extra and takes seconds to load. Answers are bounded in size; a contract that wants its
caller to fetch something elsewhere (EIP-3668) is not obeyed.
"""

import sys
from typing import cast

import aiohttp

from oracle.errors import EvidenceRefused, TeeUnavailable

_recursion_limit = sys.getrecursionlimit()
from eth_abi.exceptions import DecodingError  # noqa: E402  between the line that reads the limit and the one that restores it
from web3 import AsyncWeb3  # noqa: E402
from web3.exceptions import ContractLogicError, Web3Exception  # noqa: E402
from web3.providers.async_base import AsyncJSONBaseProvider  # noqa: E402
from web3.types import RPCEndpoint, RPCResponse  # noqa: E402

# py_ecc, which web3 brings along, raises the limit to 100,000: JSON nested that deep then overflows the C stack and kills the process,
# where Python would have refused it.
sys.setrecursionlimit(_recursion_limit)

MAX_ANSWER_BYTES = 256 * 1024
"""The longest honest answer is a contract's code, at most 24 KiB (EIP-170) in hex."""
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_ABI = [
    {
        "type": "function",
        "name": "allowedComposeHashes",
        "stateMutability": "view",
        "inputs": [{"name": "", "type": "bytes32"}],
        "outputs": [{"name": "", "type": "bool"}],
    }
]


class BoundedProvider(AsyncJSONBaseProvider):
    """JSON-RPC over HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self._url, self._session = url, session
        self.global_ccip_read_enabled = False

    async def make_request(self, method: RPCEndpoint, params: object) -> RPCResponse:
        """Ask the node; what is no JSON-RPC answer is TeeUnavailable."""
        body = self.encode_rpc_request(method, params)
        async with self._session.post(self._url, data=body, headers=_HEADERS, allow_redirects=False) as response:
            data = await response.content.read(MAX_ANSWER_BYTES + 1)
            while len(data) <= MAX_ANSWER_BYTES and (more := await response.content.read(MAX_ANSWER_BYTES + 1 - len(data))):
                data += more
        if len(data) > MAX_ANSWER_BYTES:
            raise TeeUnavailable(f"answered {method} with more than {MAX_ANSWER_BYTES:,} bytes")
        try:
            answer: object = self.decode_rpc_response(data)
        except (ValueError, RecursionError) as error:
            raise TeeUnavailable(f"answered {method} with what is no JSON (status {response.status})") from error
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            raise TeeUnavailable(f"answered {method} with what is no JSON-RPC (status {response.status})")
        return cast("RPCResponse", answer)


async def is_allowed(url: str, session: aiohttp.ClientSession, chain_id: int | None, address: bytes, compose_hash: bytes) -> bool:
    """
    Ask a node whether a contract's owner allows a compose hash.

    Raises:
        TeeUnavailable: no answer that can be read.
        EvidenceRefused: the node is of another chain, or there is no such contract.
    """
    web3 = AsyncWeb3(BoundedProvider(url, session))
    at = AsyncWeb3.to_checksum_address(address)
    contract = web3.eth.contract(address=at, abi=_ABI)
    try:
        if chain_id is not None and (seen := await web3.eth.chain_id) != chain_id:
            raise EvidenceRefused(f"is a node of chain {seen}; chain {chain_id} is expected")
        if not await web3.eth.get_code(at):
            raise EvidenceRefused(f"there is no contract at {at}")
        return bool(await contract.functions.allowedComposeHashes(compose_hash).call(ccip_read_enabled=False))
    except ContractLogicError as error:
        raise EvidenceRefused(f"the contract at {at} is no DstackApp: it refuses allowedComposeHashes") from error
    except (Web3Exception, DecodingError) as error:
        raise TeeUnavailable(f"answered with what cannot be used ({type(error).__name__}: {str(error)[:200]})") from error
    except (aiohttp.ClientError, OSError, ValueError, TypeError, KeyError) as error:
        raise TeeUnavailable(f"gave no answer that can be read ({type(error).__name__})") from error
