"""
The long work of a job, each piece safe to repeat: code is had, input is read, the guest is run.

What comes of it is an event for `job.step`. Trouble of ours is retried; what is the request's fault becomes `Failed`.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oracle.errors import ChainError, InvalidModule, RequestError, SourceUnavailable, StoreError
from oracle.job import CodeReady, Failed, GuestDone, Ran, Settled
from oracle.model import Job, Metrics, Origin, Request, Source, WasmUrl
from oracle.model.environment import guest_environment
from oracle.ports import Code, GuestRun
from oracle.worker.modules import Modules
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.tally import Tally

SOURCE_RETRIES_S = (1.0, 3.0, 10.0)
"""Waits between attempts at a source that could not be had."""
RETRIED_WITHIN_S = 30.0
"""After so long no further attempt is begun: it takes up to a minute, a yield lasts about two, and the guest needs its time too."""
_TIMES_FORGOTTEN = 3
_CHAIN_RETRY_S = 0.5
_LONGEST_CHAIN_RETRY_S = 10.0
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class Work:
    """Performs `GetCode` and `RunGuest`."""

    def __init__(self, parts: Parts, place: Place, slots: Slots, tally: Tally) -> None:
        self._parts = parts
        self._place = place
        self._tally = tally
        self._modules = Modules(parts.clock, slots.guests)
        self._fetch_slots = asyncio.Semaphore(slots.fetches)
        self._fetching: dict[tuple[Source, bool], asyncio.Task[Code]] = {}

    def code_at_hand(self, job: Job) -> CodeReady | None:
        """The wasm that the artifact cache has under the very hash that is asked for: nothing to fetch, nothing to wait for."""
        request = job.request
        if request.secrets_ref is not None or request.force_rebuild or not isinstance(request.source, WasmUrl):
            return None
        sha256_hex = request.source.sha256_hex  # as the caller wrote it
        return CodeReady(sha256_hex) if _SHA256_HEX.fullmatch(sha256_hex) and self._path_of(sha256_hex) else None

    def _path_of(self, wasm_sha256_hex: str) -> Path | None:
        try:
            return self._parts.code.path_of(wasm_sha256_hex)
        except OSError:
            return None  # `get` meets it too, and says so

    async def get_code(self, job: Job) -> CodeReady | Failed:
        """Have the wasm in the artifact cache."""
        request = job.request
        if request.secrets_ref is not None:
            return Failed(_no_keystore(request), Metrics())
        try:
            code = await self._shared_code(request.source, force_rebuild=request.force_rebuild)
        except RequestError as error:
            return Failed(str(error), error.metrics)
        return CodeReady(code.wasm_sha256_hex, code.compile_time_ms, code.note, code.toolchain)

    async def run_guest(self, job: Job, wasm_sha256_hex: str) -> GuestDone | Failed | Settled:
        """Run the module on the request's input, which is had first: the chain may be away for long, and a turn is not held meanwhile."""
        try:
            input_data = await self._input(job)
            if input_data is None:
                return Settled("gone")
            return await self._run(job, wasm_sha256_hex, input_data.encode())
        except RequestError as error:
            return Failed(str(error), error.metrics)

    async def ask_again(self, job: Job) -> Job | None:
        """
        The job as the contract tells it now, with no work done; None when it is settled.

        An attested worker takes up its earlier jobs so: a disk tells whatever its owner likes, and what was computed before this process
        began is nothing it can vouch for.
        """
        request = await self._request(job)
        return None if request is None else Job(request.light(), Origin(), yield_height=job.yield_height)

    async def _run(self, job: Job, wasm_sha256_hex: str, input_bytes: bytes) -> GuestDone | Failed:
        """Where the module lies is asked within the turn: the cache may forget it while this waits, and then it is had again."""
        toolchain = job.toolchain
        for _ in range(_TIMES_FORGOTTEN):
            async with self._modules.turn(wasm_sha256_hex):
                wasm_path = self._path_of(wasm_sha256_hex)
                if wasm_path is not None:
                    ran = Ran(wasm_sha256_hex, hashlib.sha256(input_bytes).hexdigest(), toolchain)
                    try:
                        with self._learning_of(wasm_sha256_hex):
                            result = await self._parts.guests.run(self._guest_run(job, wasm_path, wasm_sha256_hex, input_bytes))
                            return GuestDone(result.output, result.metrics, ran)
                    except InvalidModule:
                        raise  # nothing ran
                    except RequestError as error:
                        return Failed(str(error), error.metrics, ran)
            code = await self._shared_code(job.request.source, force_rebuild=False)
            wasm_sha256_hex, toolchain = code.wasm_sha256_hex, code.toolchain
        raise StoreError("the module cache forgets modules before they can be run")

    @contextmanager
    def _learning_of(self, wasm_sha256_hex: str) -> Iterator[None]:
        """Count the guest as running, and remember what its end says of the module; a module that is gone from the cache is no news."""
        self._tally.running_guests += 1
        try:
            yield
        except InvalidModule as error:
            if self._path_of(wasm_sha256_hex) is not None:
                self._modules.refuse(wasm_sha256_hex, str(error))
                raise
        except RequestError as error:
            if error.metrics.time_ms:
                self._modules.has_run(wasm_sha256_hex)
            raise
        else:
            self._modules.has_run(wasm_sha256_hex)
        finally:
            self._tally.running_guests -= 1

    def _guest_run(self, job: Job, wasm_path: Path, wasm_sha256_hex: str, input_bytes: bytes) -> GuestRun:
        assert job.request.limits is not None  # `job.step` runs no guest for compile only
        return GuestRun(
            wasm_path=wasm_path,
            wasm_sha256_hex=wasm_sha256_hex,
            input_bytes=input_bytes,
            environment=guest_environment(job.request, job.origin, contract_id=self._place.contract_id, network_id=self._place.network_id),
            limits=job.request.limits,
            output_format=job.request.response_format,
            clock_start_ns=job.origin.block_timestamp_ns or job.request.timestamp_ns,
        )

    async def _input(self, job: Job) -> str | None:
        """
        The input, from the store where it is not in hand, or the contract's state where the event did not carry it.

        None when the request is settled already.
        """
        if job.request.input_data is not None:
            return job.request.input_data
        if not self._parts.receipts.is_attested:  # else a disk's owner could put another input into its mouth
            stored = await self._parts.store.get(job.request_id)
            if stored is not None and stored.request.input_data is not None:
                return stored.request.input_data
        found = await self._request(job)
        return None if found is None else found.input_data or ""

    async def _request(self, job: Job) -> Request | None:
        """The request as the contract has it, for as long as asking takes; None when it is settled."""
        wait_s = _CHAIN_RETRY_S
        while True:
            try:
                return await self._parts.contract.request(job.request_id, at_least_height=job.origin.block_height)
            except ChainError as error:
                self._tally.last_error = str(error)
                await self._parts.clock.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_CHAIN_RETRY_S)

    async def _shared_code(self, source: Source, *, force_rebuild: bool) -> Code:
        """Requests of one source share one fetch, and its failure."""
        key = (source, force_rebuild)
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.create_task(self._fetch(source, force_rebuild=force_rebuild))
            self._fetching[key] = task
            task.add_done_callback(lambda done: self._fetched(key, done))
        return await asyncio.shield(task)

    def _fetched(self, key: tuple[Source, bool], task: asyncio.Task[Code]) -> None:
        del self._fetching[key]
        if not task.cancelled():
            task.exception()  # seen: those who waited may all be gone

    async def _fetch(self, source: Source, *, force_rebuild: bool) -> Code:
        """A slot is held for one attempt and not between two, so that places which never answer take turns with those that do."""
        until_s = self._parts.clock.monotonic_s() + RETRIED_WITHIN_S
        waits_s = iter(SOURCE_RETRIES_S)
        failed: SourceUnavailable | None = None
        while True:
            async with self._fetch_slots:
                if failed is not None and self._parts.clock.monotonic_s() > until_s:
                    raise failed
                try:
                    return await self._parts.code.get(source, force_rebuild=force_rebuild)
                except SourceUnavailable as error:
                    self._tally.last_error = str(error)
                    failed = error
            wait_s = next(waits_s, None)
            if wait_s is None or self._parts.clock.monotonic_s() + wait_s > until_s:
                raise failed
            await self._parts.clock.sleep(wait_s)

    async def close(self) -> None:
        """End the fetches that still run."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _no_keystore(request: Request) -> str:
    assert request.secrets_ref is not None
    profile, owner = request.secrets_ref.profile[:64], request.secrets_ref.account_id[:64]
    return f"The request names secrets (profile {profile!r} of {owner}), and this worker has no keystore to open them: ask without."
