"""Batches of what came while the one before was worked on."""

import asyncio
import random

from streams.faust_jobs.intake import Intake


def intake(batch_max: int = 3, linger_seconds: float = 0.0) -> Intake[int]:
    return Intake(batch_max, linger_seconds, asyncio.get_running_loop().time)


async def test_what_came_meanwhile_is_taken_at_once_in_its_order() -> None:
    waiting = intake()
    for one in range(2):
        await waiting.put(one)
    assert await waiting.take() == [0, 1]


async def test_who_takes_waits_for_something_to_come() -> None:
    waiting = intake()
    taking = asyncio.create_task(waiting.take())
    await asyncio.sleep(0)
    assert not taking.done()
    await waiting.put(7)
    assert await taking == [7]


async def test_no_more_wait_than_may() -> None:
    waiting = intake(batch_max=2)
    await waiting.put(1)
    await waiting.put(2)
    putting = asyncio.create_task(waiting.put(3))
    await asyncio.sleep(0.01)
    assert not putting.done(), "a reader that is faster than the jobs is held up"
    assert await waiting.take() == [1, 2]
    await putting
    assert await waiting.take() == [3]


async def test_the_first_waits_for_those_right_behind_it_but_not_once_the_batch_is_full() -> None:
    waiting = intake(batch_max=2, linger_seconds=60)
    taking = asyncio.create_task(waiting.take())
    await waiting.put(1)
    await asyncio.sleep(0.01)
    assert not taking.done()
    await waiting.put(2)
    assert await taking == [1, 2]


async def test_what_has_waited_long_enough_lingers_no_more() -> None:
    now = 0.0
    waiting = Intake[int](9, 60, lambda: now)
    await waiting.put(1)
    now = 61.0
    assert await waiting.take() == [1]


async def test_nothing_is_lost_or_swapped_however_both_sides_interleave() -> None:
    chance = random.Random(5)
    waiting, taken = intake(batch_max=7, linger_seconds=0.0005), list[int]()

    async def put() -> None:
        for one in range(2_000):
            await waiting.put(one)
            if chance.random() < 0.1:
                await asyncio.sleep(chance.choice((0, 0, 0.001)))

    async with asyncio.TaskGroup() as group:
        group.create_task(put())
        while len(taken) < 2_000:
            batch = await waiting.take()
            assert 1 <= len(batch) <= 7
            taken += batch
            if chance.random() < 0.1:
                await asyncio.sleep(chance.choice((0, 0.001)))
    assert taken == list(range(2_000))
