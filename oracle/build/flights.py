"""Work that several callers want at once is done once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Flights(Generic[Result]):
    """
    One flight for each key at a time; who comes while it is under way shares its end, good or bad.

    The first caller does the work in its own task, so nobody else owns one. When that caller is cancelled, the next takes over.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[Result]] = {}

    async def share(self, key: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of the flight under way for this key, or of `work`."""
        while (flight := self._under_way.get(key)) is not None:
            await asyncio.wait([flight])
            if not flight.cancelled():
                return flight.result()
        flight = asyncio.get_running_loop().create_future()
        self._under_way[key] = flight
        try:
            result = await work()
        except Exception as error:
            flight.set_exception(error)
            flight.exception()  # read once here: with nobody waiting asyncio would call it forgotten
            raise
        else:
            flight.set_result(result)
            return result
        finally:
            flight.cancel()  # does nothing to a flight that has ended
            del self._under_way[key]
