"""
Collateral at hand: fetched once a day, kept in memory and in files, good as long as Intel's dates say, whether or not its source answers.

What a source or a file says is kept only when it is authentic under the trusted root, is what was asked for, and is in no part older than
what is known. Trouble with the source is a log line while something good is kept, and an error after.
"""

import asyncio
import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from oracle.errors import EvidenceRefused, TeeError, TeeUnavailable
from oracle.ports import Clock
from oracle.tee.authentic import check_authentic, check_is_for
from oracle.tee.collateral import MAX_COLLATERAL_BYTES, Collateral, moment
from oracle.tee.pcs import FetchDocument, Pcs, Wanted
from oracle.tee.quote import parse_quote
from oracle.tee.root import Root
from oracle.tee.verify import platform_of

REFRESH_AFTER_S = 86_400
"""Intel signs the monthly parts anew every day or so."""
RETRY_AFTER_S = 600
MAX_PLATFORMS = 64
"""How many platforms' collateral is kept in memory; a worker needs its own."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Kept:
    collateral: Collateral
    refresh_at_s: int


class CollateralSource:
    """Collateral for quotes, from one service."""

    def __init__(self, url: str, fetch: FetchDocument, cache_directory: Path | None, clock: Clock, root: Root) -> None:
        """`cache_directory`: None keeps nothing over a restart."""
        self._pcs, self._directory, self._clock, self._root = Pcs(url, fetch, root), cache_directory, clock, root
        self._kept: dict[Wanted, _Kept] = {}
        self._turns: dict[Wanted, asyncio.Lock] = {}
        self._refreshing: dict[Wanted, asyncio.Task[None]] = {}

    async def for_quote(self, raw: bytes) -> Collateral:
        """
        Collateral of a quote's platform, good now.

        Raises:
            TeeUnavailable: there is none, and the source does not give any.
            EvidenceRefused: the quote does not name its platform; or there is none, and what the source gives is not authentic.
        """
        quote = parse_quote(raw)
        return await self.for_platform(Wanted(quote.report.kind, *platform_of(quote)))

    def at_hand(self, raw: bytes) -> Collateral | None:
        """
        Collateral of a quote's platform that is kept and good now, without waiting for anybody; None where there is none.

        Where it is due to be fetched anew, or missing, that begins in the background.

        Raises:
            EvidenceRefused: the quote does not name its platform.
        """
        quote = parse_quote(raw)
        wanted = Wanted(quote.report.kind, *platform_of(quote))
        kept = self._good(wanted)
        if (kept is None or self._now_s() >= kept.refresh_at_s) and wanted not in self._refreshing:
            task = asyncio.create_task(self._refresh_aside(wanted))
            self._refreshing[wanted] = task
            task.add_done_callback(lambda _: self._refreshing.pop(wanted, None))
        return None if kept is None else kept.collateral

    def kept(self) -> dict[Wanted, Collateral]:
        """All that is kept and good now, by platform."""
        return {wanted: kept.collateral for wanted in self._kept if (kept := self._good(wanted)) is not None}

    async def _refresh_aside(self, wanted: Wanted) -> None:
        try:
            await self.for_platform(wanted)
        except TeeError as error:
            log.warning("collateral_not_had", platform=str(wanted), reason=str(error))

    async def for_platform(self, wanted: Wanted) -> Collateral:
        """The same by name."""
        kept = self._good(wanted)
        if kept is not None and self._now_s() < kept.refresh_at_s:
            return kept.collateral
        turn = self._turns.setdefault(wanted, asyncio.Lock())
        async with turn:
            if wanted not in self._kept:
                await self._read_file(wanted)
            kept = self._good(wanted)  # it may have come while we waited
            if kept is not None and self._now_s() < kept.refresh_at_s:
                return kept.collateral
            return await self._refresh(wanted)

    async def _refresh(self, wanted: Wanted) -> Collateral:
        try:
            fetched = await self._pcs.collateral(wanted)
            now_s = self._now_s()
            self._check(fetched, wanted, now_s)
            self._check_not_older(fetched, wanted)
        except TeeError as error:
            kept = self._good(wanted)
            if kept is None:
                if isinstance(error, EvidenceRefused):
                    raise EvidenceRefused(f"{self._pcs.place} gives collateral that is refused: {error}") from error
                raise TeeUnavailable(f"no collateral for {wanted}: {error}") from error
            log.warning(
                "collateral_not_refreshed", platform=str(wanted), error=str(error), good_until=moment(kept.collateral.valid_until_s)
            )
            self._keep(wanted, _Kept(kept.collateral, self._now_s() + RETRY_AFTER_S))
            return kept.collateral
        self._keep(wanted, _Kept(fetched, self._next_refresh_s(fetched, now_s)))
        await self._write_file(wanted, fetched)
        log.info("collateral_refreshed", platform=str(wanted), good_until=moment(fetched.valid_until_s))
        return fetched

    def _check(self, collateral: Collateral, wanted: Wanted, now_s: int) -> None:
        check_is_for(collateral, wanted.kind, wanted.fmspc, wanted.authority)
        check_authentic(collateral, self._root, now_s)

    def _check_not_older(self, fetched: Collateral, wanted: Wanted) -> None:
        kept = self._kept.get(wanted)  # also when it has expired: no date goes back
        older = None if kept is None else fetched.older_part_than(kept.collateral, self._now_s())
        if older is not None:
            raise EvidenceRefused(f"it is rolled back: {older}")

    def _good(self, wanted: Wanted) -> _Kept | None:
        kept = self._kept.get(wanted)
        return kept if kept is not None and kept.collateral.issued_s <= self._now_s() <= kept.collateral.valid_until_s else None

    def _keep(self, wanted: Wanted, kept: _Kept) -> None:
        self._kept.pop(wanted, None)
        self._kept[wanted] = kept
        while len(self._kept) > MAX_PLATFORMS:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._turns.pop(oldest, None)

    @staticmethod
    def _next_refresh_s(collateral: Collateral, now_s: int) -> int:
        """In a day; earlier where what was given ends soon, but never at every call."""
        half_of_the_rest = (collateral.valid_until_s - now_s) // 2
        return now_s + max(RETRY_AFTER_S, min(REFRESH_AFTER_S, half_of_the_rest))

    def _now_s(self) -> int:
        return self._clock.now_ns() // 10**9

    async def _read_file(self, wanted: Wanted) -> None:
        """A file that is missing, damaged or of another root is as if it were not there."""
        if self._directory is None:
            return
        path = self._directory / f"{wanted}.json"
        read = await asyncio.to_thread(_read, path)
        if read is None:
            return
        text, written_s = read
        try:
            collateral = Collateral.from_json(text)
            self._check(collateral, wanted, self._now_s())
        except EvidenceRefused as error:
            log.warning("collateral_file_refused", path=str(path), error=str(error))
            return
        self._keep(wanted, _Kept(collateral, min(self._next_refresh_s(collateral, written_s), self._now_s() + REFRESH_AFTER_S)))

    async def _write_file(self, wanted: Wanted, collateral: Collateral) -> None:
        if self._directory is None:
            return
        try:
            await asyncio.to_thread(_write, self._directory / f"{wanted}.json", collateral.to_json(), self._now_s())
        except OSError as error:
            log.warning("collateral_not_stored", directory=str(self._directory), error=error.strerror)


def _read(path: Path) -> tuple[str, int] | None:
    """Text and the time of writing."""
    try:
        with path.open("rb") as file:
            data = file.read(2 * MAX_COLLATERAL_BYTES)
            return data.decode("utf-8", "replace"), int(os.fstat(file.fileno()).st_mtime)
    except OSError:
        return None


def _write(path: Path, text: str, written_s: int) -> None:
    """Whole or not at all; for this user alone, so that nobody else chooses what is kept."""
    _make_directory(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.utime(name, (written_s, written_s))
        Path(name).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _make_directory(directory: Path) -> None:
    """With those above it that are missing, each for this user alone: the state directory is among them when nothing has run before."""
    missing = [above for above in (directory, *directory.parents) if not above.exists()]
    for above in reversed(missing):
        above.mkdir(mode=0o700, exist_ok=True)
