"""While the shared buckets are away, this process's own hold."""

from collections.abc import Sequence

import pytest

from gateway.circuit import FAILURES_MAX, PAUSE_SECONDS, Circuit
from gateway.limits.memory_buckets import MemoryBuckets
from gateway.limits.port import Bucket, Taken
from gateway.limits.steady_buckets import SteadyBuckets
from photolog.errors import StoreUnavailable
from photolog.rates import Rate

BUCKET = Bucket("ada", "read", Rate(3, 3_600))


class SharedBuckets(MemoryBuckets):
    """Shared buckets that can be away."""

    away = False
    asked = 0

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        self._answer()
        return await super().take(buckets)

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        self._answer()
        await super().give_back(buckets)

    def _answer(self) -> None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("the buckets are away")


class World:
    """Steady buckets under a clock that stands."""

    def __init__(self) -> None:
        self.now = 100.0
        self.shared = SharedBuckets()
        circuit = Circuit("redis", call_seconds=10, clock=lambda: self.now)
        self.steady = SteadyBuckets(self.shared, MemoryBuckets(), circuit)

    async def granted(self) -> bool:
        return (await self.steady.take([BUCKET])).granted


@pytest.fixture
def world() -> World:
    return World()


async def test_requests_go_on_while_the_shared_are_away_and_stay_bounded(world: World) -> None:
    assert await world.granted()
    world.shared.away = True
    assert [await world.granted() for _ in range(5)] == [True, True, True, False, False]
    assert world.shared.asked == 1 + FAILURES_MAX, "nobody waits for them any more"


async def test_the_shared_hold_again_once_they_answer(world: World) -> None:
    world.shared.away = True
    while await world.granted():
        pass
    world.shared.away = False
    assert not await world.granted(), "they are not asked yet"
    world.now += PAUSE_SECONDS
    assert [await world.granted() for _ in range(4)] == [True, True, True, False]


async def test_giving_back_never_raises_and_makes_no_token(world: World) -> None:
    await world.granted()
    world.shared.away = True
    await world.steady.give_back([BUCKET])
    assert [await world.granted() for _ in range(4)] == [True, True, True, False]
    await world.steady.give_back([BUCKET])
    assert [await world.granted() for _ in range(2)] == [True, False]
