"""
The long work of a job, each piece safe to repeat: code is had, input is read, the guest is run.

What comes of it is an event for `job.step`. Trouble of ours is retried; what is the request's fault becomes `Failed`.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from oracle.errors import ChainError, RequestError, SourceUnavailable
from oracle.job import CodeReady, Failed, GuestDone, Settled
from oracle.model import Job, Metrics, Request, Source, WasmUrl
from oracle.model.environment import guest_environment
from oracle.ports import Code, GuestRun
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.tally import Tally

SOURCE_RETRIES_S = (1.0, 3.0, 10.0)
"""Waits between attempts at a source that could not be had; together well inside the yield's window."""
_CHAIN_RETRY_S = 0.5
_LONGEST_CHAIN_RETRY_S = 10.0
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class Work:
    """Performs `GetCode` and `RunGuest`."""

    def __init__(self, parts: Parts, place: Place, slots: Slots, tally: Tally) -> None:
        self._parts = parts
        self._place = place
        self._tally = tally
        self._guest_slots = asyncio.Semaphore(slots.guests)
        self._fetch_slots = asyncio.Semaphore(slots.fetches)
        self._fetching: dict[tuple[Source, bool], asyncio.Task[Code]] = {}

    def code_at_hand(self, job: Job) -> CodeReady | None:
        """The wasm that the artifact cache has under the very hash that is asked for: nothing to fetch, nothing to wait for."""
        request = job.request
        if request.secrets_ref is not None or request.force_rebuild or not isinstance(request.source, WasmUrl):
            return None
        sha256_hex = request.source.sha256_hex  # as the caller wrote it
        try:
            found = _SHA256_HEX.fullmatch(sha256_hex) and self._parts.code.path_of(sha256_hex)
        except OSError:
            return None  # `get_code` meets it too, and says so
        return CodeReady(sha256_hex) if found else None

    async def get_code(self, job: Job) -> CodeReady | Failed:
        """Have the wasm in the artifact cache."""
        request = job.request
        if request.secrets_ref is not None:
            return Failed(_no_keystore(request), Metrics())
        try:
            code = await self._shared_code(request.source, force_rebuild=request.force_rebuild)
        except RequestError as error:
            return Failed(str(error), error.metrics)
        return CodeReady(code.wasm_sha256_hex, code.compile_time_ms, code.note)

    async def run_guest(self, job: Job, wasm_sha256_hex: str) -> GuestDone | Failed | Settled:
        """Run the module on the request's input."""
        assert job.request.limits is not None  # `job.step` runs no guest for compile only
        try:
            wasm_path = self._parts.code.path_of(wasm_sha256_hex)
            if wasm_path is None:  # forgotten by the cache since it was had
                code = await self._shared_code(job.request.source, force_rebuild=False)
                wasm_path, wasm_sha256_hex = code.path, code.wasm_sha256_hex
            async with self._guest_slot():
                input_data = await self._input(job)
                if input_data is None:
                    return Settled("gone")
                result = await self._parts.guests.run(
                    GuestRun(
                        wasm_path=wasm_path,
                        wasm_sha256_hex=wasm_sha256_hex,
                        input_bytes=input_data.encode(),
                        environment=guest_environment(
                            job.request, job.origin, contract_id=self._place.contract_id, network_id=self._place.network_id
                        ),
                        limits=job.request.limits,
                        output_format=job.request.response_format,
                        clock_start_ns=job.origin.block_timestamp_ns or job.request.timestamp_ns,
                    )
                )
        except RequestError as error:
            return Failed(str(error), error.metrics)
        return GuestDone(result.output, result.metrics)

    @asynccontextmanager
    async def _guest_slot(self) -> AsyncIterator[None]:
        async with self._guest_slots:
            self._tally.running_guests += 1
            try:
                yield
            finally:
                self._tally.running_guests -= 1

    async def _input(self, job: Job) -> str | None:
        """
        The input, from the store where it is not in hand, or the contract's state where the event did not carry it.

        None when the request is settled already.
        """
        if job.request.input_data is not None:
            return job.request.input_data
        stored = await self._parts.store.get(job.request_id)
        if stored is not None and stored.request.input_data is not None:
            return stored.request.input_data
        wait_s = _CHAIN_RETRY_S
        while True:
            try:
                found = await self._parts.contract.request(job.request_id, at_least_height=job.origin.block_height)
            except ChainError as error:
                self._tally.last_error = str(error)
                await self._parts.clock.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_CHAIN_RETRY_S)
            else:
                return None if found is None else found.input_data or ""

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
        async with self._fetch_slots:
            for wait_s in SOURCE_RETRIES_S:
                try:
                    return await self._parts.code.get(source, force_rebuild=force_rebuild)
                except SourceUnavailable as error:
                    self._tally.last_error = str(error)
                    await self._parts.clock.sleep(wait_s)
            return await self._parts.code.get(source, force_rebuild=force_rebuild)

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
