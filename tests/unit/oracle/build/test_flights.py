import asyncio

import pytest

from oracle.build.flights import Flights


class Work:
    def __init__(self) -> None:
        self.times, self.go, self.error = 0, asyncio.Event(), None

    async def __call__(self) -> int:
        self.times += 1
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return self.times


async def started(flights: Flights[int], work: Work, callers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(flights.share("key", work)) for _ in range(callers)]
    for _ in range(callers + 2):
        await asyncio.sleep(0)
    return tasks


async def test_callers_of_one_key_share_one_piece_of_work():
    flights, work = Flights(), Work()
    tasks = await started(flights, work, 5)
    work.go.set()
    assert await asyncio.gather(*tasks) == [1] * 5
    assert await flights.share("key", work) == 2


async def test_a_failure_is_shared_too_and_forgotten_afterwards():
    flights, work = Flights(), Work()
    work.error = ValueError("no")
    tasks = await started(flights, work, 3)
    work.go.set()
    assert [str(end) for end in await asyncio.gather(*tasks, return_exceptions=True)] == ["no"] * 3
    work.error = None
    assert await flights.share("key", work) == 2


async def test_when_the_one_who_works_is_cancelled_the_next_takes_over():
    flights, work = Flights(), Work()
    first, *others = await started(flights, work, 3)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    for _ in range(5):
        await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(*others) == [2, 2]


async def test_a_cancelled_waiter_harms_nobody():
    flights, work = Flights(), Work()
    first, second, third = await started(flights, work, 3)
    second.cancel()
    work.go.set()
    assert await asyncio.gather(first, third) == [1, 1]


async def test_other_keys_do_not_wait():
    flights, work, other = Flights(), Work(), Work()
    other.go.set()
    (task,) = await started(flights, work, 1)
    assert await flights.share("other", other) == 1
    work.go.set()
    assert await task == 1
