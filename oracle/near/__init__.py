"""The road to and from the chain: blocks, events, views, and signed answers (NEAR JSON-RPC and neardata-style blocks)."""

from oracle.near.blocks import Watched
from oracle.near.contract import Contract
from oracle.near.keys import SigningKey
from oracle.near.rpc import Rpc
from oracle.near.rpc_stream import RpcStream
from oracle.near.send import Addressee, ChainSender
from oracle.near.stream import NeardataStream

__all__ = ["Addressee", "ChainSender", "Contract", "NeardataStream", "Rpc", "RpcStream", "SigningKey", "Watched"]
