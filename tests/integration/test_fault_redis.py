"""Redis loses everything, or dies, in the middle of a fan-out that people wait for."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable

import pytest
from redis.exceptions import RedisError

from infra.local.stack import Stack
from tests.integration.fault_checks import holds
from tests.integration.fault_world import FaultWorld
from tests.integration.workers import Hand, WorkerProcess, eventually

POSTS_EACH = 10
AFTERWARDS_SECONDS = 3.0
SENTINEL = "fault:sentinel"


async def fed(hand: Hand) -> int:
    """How many fan-out requests the feed job has applied, over all partitions."""
    return sum(position.next_offset for position in (await hand.positions("feed")).values())


async def in_a_fan_out(world: FaultWorld, hand: Hand, fault: Callable[[], Awaitable[object]]) -> None:
    """Everyone posts; in the middle of what follows from it, something happens."""
    before = await fed(hand)
    posting = asyncio.create_task(world.everyone_posts(POSTS_EACH))

    async def has_begun() -> bool:
        return await fed(hand) > before

    await eventually(has_begun)
    in_the_middle = not posting.done()
    await fault()
    await posting
    assert in_the_middle, "everything was posted before the first of it was delivered"


async def test_a_flush_in_the_middle_of_a_fan_out_loses_nothing(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld
) -> None:
    await hand.redis.set(SENTINEL, "here")
    async with town.living():
        await in_a_fan_out(town, hand, hand.redis.flushall)
        assert await hand.redis.get(SENTINEL) is None
        await asyncio.sleep(AFTERWARDS_SECONDS)
    await holds(town, hand, workers)


@pytest.mark.parametrize("wiped", [False, True], ids=["with its file", "without its file"])
async def test_a_kill_in_the_middle_of_a_fan_out_loses_nothing(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld, stack: Stack, wiped: bool
) -> None:
    await hand.redis.set(SENTINEL, "here")
    lived_as = (await hand.redis.info("server"))["run_id"]

    async def die() -> None:
        if wiped:
            shutil.rmtree(stack.home.data / "valkey" / "appendonlydir")
        stack.kill("valkey")

    async def is_back() -> bool:
        try:
            # It tells of itself while it still reads its file, and is there once it tells of a key.
            reborn = (await hand.redis.info("server"))["run_id"] != lived_as
            await hand.redis.get(SENTINEL)
        except (RedisError, OSError):
            return False
        return bool(reborn)

    async with town.living():
        await in_a_fan_out(town, hand, die)
        await eventually(is_back)
        assert (await hand.redis.get(SENTINEL) is None) is wiped
        await asyncio.sleep(AFTERWARDS_SECONDS)
    await holds(town, hand, workers)
