"""
Whose turn it is to run a guest, by what is known of its module.

The first run of a module makes its native code, which takes minutes for a large one and is done for one module at a time. So modules that
have run before have slots of their own, which no newcomer holds; newcomers have others, and no module has more than its share of those. A
module that was refused, or took too long, is refused at once for a while: asking for it again must not cost the compiler's time again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from oracle.errors import InvalidModule
from oracle.ports import Clock

REFUSED_FOR_S = 600.0
MODULES_REMEMBERED = 1_000
_NEWCOMERS_A_GUEST = 4
"""So many modules that are stuck in the compiler, each with all its requests, leave others without a newcomer's turn."""


class Modules:
    """Turns to run guests, and what came of them. How many execute at once is the guest room's to bound too."""

    def __init__(self, clock: Clock, guests: int) -> None:
        self._clock = clock
        self._guests = guests
        self._slots = asyncio.Semaphore(guests)
        self._newcomers = asyncio.Semaphore(_NEWCOMERS_A_GUEST * guests)
        self._shares: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._ran: OrderedDict[str, None] = OrderedDict()
        self._refused: OrderedDict[str, tuple[str, float]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, wasm_sha256_hex: str) -> AsyncIterator[None]:
        """
        Wait until a guest of this module may run, and hold its place.

        Raises:
            InvalidModule: the module was refused lately.
        """
        while wasm_sha256_hex not in self._ran:
            self._refuse_again(wasm_sha256_hex)
            async with self._share(wasm_sha256_hex), self._newcomers:
                if wasm_sha256_hex in self._ran:
                    break  # while this waited: it needs no newcomer's place
                self._refuse_again(wasm_sha256_hex)
                yield
                return
        self._ran.move_to_end(wasm_sha256_hex)
        async with self._slots:
            yield

    def has_run(self, wasm_sha256_hex: str) -> None:
        """A guest of the module was begun, so its native code is at hand."""
        self._refused.pop(wasm_sha256_hex, None)
        self._ran[wasm_sha256_hex] = None
        if len(self._ran) > MODULES_REMEMBERED:
            self._ran.popitem(last=False)

    def refuse(self, wasm_sha256_hex: str, sentence: str) -> None:
        """The module cannot be run, for the reason given."""
        self._ran.pop(wasm_sha256_hex, None)
        self._refused[wasm_sha256_hex] = sentence, self._clock.monotonic_s() + REFUSED_FOR_S
        self._refused.move_to_end(wasm_sha256_hex)
        if len(self._refused) > MODULES_REMEMBERED:
            self._refused.popitem(last=False)

    def _refuse_again(self, wasm_sha256_hex: str) -> None:
        sentence, until_s = self._refused.get(wasm_sha256_hex, ("", 0.0))
        if sentence and self._clock.monotonic_s() < until_s:
            raise InvalidModule(sentence)

    def _share(self, wasm_sha256_hex: str) -> asyncio.Semaphore:
        """What one newcomer may hold; gone with the last who waits for it."""
        share = self._shares.get(wasm_sha256_hex)
        if share is None:
            share = self._shares[wasm_sha256_hex] = asyncio.Semaphore(self._guests)
        return share
