"""
A bundle from a worker's own interface, over HTTP: bounded in size and time, and not believed.

Where the bundle does not name the answer's transaction, the worker's word for it is asked too: the chain says whether it is right.
"""

import json
from dataclasses import dataclass

import aiohttp

from oracle.errors import RpcUnavailable
from oracle.near.rpc import place_of, read_bounded, reason_of
from oracle.tee.bundle import MAX_BUNDLE_BYTES

TIMEOUT_S = 15.0
_MAX_JOB_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle's bytes; `answer_transaction` is the last that the worker says it answered with."""

    raw: bytes
    answer_transaction: str | None


class NotFetched(Exception):
    """The worker does not answer, or has no such bundle; `str()` is the reason."""


async def fetch_bundle(worker_url: str, request_id: int, receipt_sha256_hex: str | None = None) -> Fetched:
    """
    Ask a worker for what it has of a request: the newest receipt, or the one with the sha256.

    Raises:
        NotFetched
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        which = "" if receipt_sha256_hex is None else f"?receipt_sha256={receipt_sha256_hex}"
        raw = await _get(session, worker_url, f"/attestations/{request_id}{which}", MAX_BUNDLE_BYTES)
        try:
            job = await _get(session, worker_url, f"/requests/{request_id}", _MAX_JOB_BYTES)
        except NotFetched:
            job = b"null"
    return Fetched(raw, _answer_transaction(job))


async def _get(session: aiohttp.ClientSession, worker_url: str, path: str, max_bytes: int) -> bytes:
    place = place_of(worker_url)
    try:
        async with session.get(f"{worker_url}{path}", allow_redirects=False) as response:
            body = await read_bounded(response, max_bytes, place)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise NotFetched(f"{path} at {place}: {reason_of(error)}") from None
    except RpcUnavailable as error:
        raise NotFetched(f"{path} at {place}: {error}") from error
    if response.status != 200:
        raise NotFetched(f"{path} at {place}: HTTP status {response.status}, {_message(body)}")
    return body


def _message(body: bytes) -> str:
    """The worker's own reason: `{"error": code, "message": …}`."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return "and no JSON in it"
    return str(told.get("message"))[:200] if isinstance(told, dict) else "and no reason in it"


def _answer_transaction(job: bytes) -> str | None:
    try:
        told = json.loads(job)["transactions"]
        hashes = [one["transaction_hash"] for one in told if one["kind"] == "answer"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return hashes[-1] if hashes and isinstance(hashes[-1], str) else None
