"""
The HTTP server: `/health`, `/metrics`, `/requests`, `/requests/{id}`, `/attestations/{id}`. It only reads, and shows neither secrets nor
inputs; an output is shown where its receipt is, for it is on chain.

Every error is JSON `{"error": code, "message": …}`.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from oracle.errors import ConfigurationError, StoreError
from oracle.model import Job, Stage
from oracle.ports import StoreJobs, WorkerSnapshot
from oracle.settings import Listen
from oracle.status.job_view import job_json
from oracle.status.metrics import metrics_text
from oracle.tee.bundle import Bundle, bundle_of

MAX_PAGE = 200
DEFAULT_PAGE = 50
_MAX_REQUEST_ID = 2**63 - 1
_MAX_DIGITS = 19
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
log = structlog.get_logger()
_protocol_log = logging.getLogger("oracle.status.protocol")
_protocol_log.setLevel(logging.CRITICAL)
"""aiohttp's own: a traceback for each request that is no HTTP, which anybody who reaches the port could fill a disk with."""

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def _as_it_is(bundle: Bundle) -> Bundle:
    return bundle


class StatusServer:
    """
    Serves while its `async with` block runs; `address` is where.

    Raises on entry:
        ConfigurationError: the address cannot be listened on.
    """

    def __init__(
        self,
        listen: Listen,
        store: StoreJobs,
        snapshot: Callable[[], WorkerSnapshot],
        about: Mapping[str, str],
        complete: Callable[[Bundle], Awaitable[Bundle]] = _as_it_is,
    ) -> None:
        """
        `about`: what `/health` says of the worker beside its state, such as chain and contract; nothing secret.

        `complete`: adds to a bundle what a verifier of its quote needs, such as collateral.
        """
        self._listen, self._store, self._snapshot, self._about, self._complete = listen, store, snapshot, dict(about), complete
        self._runner: web.AppRunner | None = None
        self._version = version("near-compute-oracle")
        self.address = listen

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[_json_errors])
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get("/requests", self._requests),
                web.get("/requests/{request_id}", self._request),
                web.get("/attestations/{request_id}", self._attestation),
            ]
        )
        runner = web.AppRunner(app, access_log=None, logger=_protocol_log, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._listen.host, self._listen.port).start()
        except (OSError, UnicodeError) as error:
            await runner.cleanup()
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigurationError((f"API_LISTEN={self._listen}: {reason}; set another HOST:PORT (port 0 takes a free one)",)) from error
        self._runner = runner
        self.address = Listen(self._listen.host, runner.addresses[0][1])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _health(self, _request: web.Request) -> web.Response:
        worker = self._snapshot()
        problems = [
            f"{what}: {trouble}"
            for what, trouble in (("chain", worker.chain_trouble), ("store", worker.store_trouble))
            if trouble is not None
        ]
        return _json(
            {
                "status": "trouble" if problems else "ok",
                "problems": problems,
                **self._about,
                "version": self._version,
                "cursor_height": worker.cursor_height,
                "head_height": worker.head_height,
                "jobs": worker.jobs_by_stage,
                "running_guests": worker.running_guests,
                "answered": {"success": worker.answered_ok, "failure": worker.answered_failed},
                "unquoted_receipts": None if worker.unquoted is None else asdict(worker.unquoted),
            },
            status=503 if problems else 200,
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        try:
            stored = await self._store.counts()
        except StoreError:
            stored = {}  # `oracle_store_up` says it; the rest is of use all the same
        text = metrics_text(self._version, self._snapshot(), stored)
        return web.Response(body=text, headers={**_HEADERS, "Content-Type": _METRICS_TYPE})

    async def _requests(self, request: web.Request) -> web.Response:
        limit = _whole_number(request, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
        before = _whole_number(request, "before", None, 0, _MAX_REQUEST_ID)
        jobs = await self._store.recent(limit or DEFAULT_PAGE, before)
        more = len(jobs) == limit
        return _json({"requests": [job_json(job) for job in jobs], "next_before": jobs[-1].request_id if jobs and more else None})

    async def _request(self, request: web.Request) -> web.Response:
        job = await self._job(request)
        transactions, receipts = await self._store.transactions(job.request_id), await self._store.receipts(job.request_id)
        return _json(dict(job_json(job, transactions, receipts)))

    async def _attestation(self, request: web.Request) -> web.Response:
        """The bundle of a request's newest receipt, or of the one whose sha256 is given."""
        job, sha256_hex = await self._job(request), request.query.get("receipt_sha256")
        kept = await self._store.receipts(job.request_id)
        found = next((receipt for receipt in kept if sha256_hex in {None, receipt.receipt_sha256_hex}), None)
        if found is None:
            if kept:
                raise _Refused(404, "no_such_receipt", f"request {job.request_id} has no receipt with that sha256")
            reason = "its answer is not signed yet" if job.stage is not Stage.DONE else "it was not answered by this worker"
            raise _Refused(404, "no_receipt", f"request {job.request_id} has no receipt: {reason}")
        bundle = await self._complete(bundle_of(job, found))
        return web.Response(text=bundle.to_json(), headers={**_HEADERS, "Content-Type": "application/json"})

    async def _job(self, request: web.Request) -> Job:
        request_id = _number_in(request.match_info["request_id"], 0, _MAX_REQUEST_ID)
        if request_id is None:
            raise _Refused(400, "bad_request_id", "a request id is a whole number")
        job = await self._store.get(request_id)
        if job is None:
            raise _Refused(404, "unknown_request", f"this worker knows no request {request_id}")
        return job


class _Refused(Exception):
    """Answered with a status, a code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class _BadQuery(_Refused):
    """A query parameter is wrong; `str()` names it and what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "bad_query", message)


def _whole_number(request: web.Request, name: str, default: int | None, least: int, most: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return default
    number = _number_in(text, least, most)
    if number is None:
        raise _BadQuery(f"{name} must be a whole number from {least} to {most}")
    return number


def _number_in(text: str, least: int, most: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else -1
    return number if least <= number <= most else None


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal in one shape."""
    try:
        return await handler(request)
    except _Refused as error:
        return _error(error.status, error.code, str(error))
    except StoreError as error:
        return _error(503, "store_trouble", str(error))
    except web.HTTPMethodNotAllowed:
        return _error(405, "read_only", "this interface only reads; use GET")
    except web.HTTPNotFound:
        return _error(404, "unknown_path", "there are /health, /metrics, /requests, /requests/{id} and /attestations/{id}")
    except Exception:
        log.exception("status_request_failed", path=request.path)
        return _error(500, "defect", "the worker's log has the reason")


def _error(status: int, code: str, message: str) -> web.Response:
    return _json({"error": code, "message": message}, status=status)


def _json(value: Mapping[str, object], status: int = 200) -> web.Response:
    # What nodes told may hold half a surrogate pair, which has no UTF-8.
    body = (json.dumps(value, ensure_ascii=False) + "\n").encode(errors="replace")
    return web.Response(body=body, status=status, headers={**_HEADERS, "Content-Type": "application/json; charset=utf-8"})
