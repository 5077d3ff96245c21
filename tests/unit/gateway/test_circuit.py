"""An engine that is away is asked by a few, and then by one every so often."""

import asyncio
from dataclasses import dataclass

import pytest

from gateway.circuit import Circuit
from gateway.guarded import GuardedCache, GuardedRecent, GuardedTimelines
from photolog.errors import StoreUnavailable
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.memory_recent import MemoryRecent
from projections.stores.port import CacheWrite, RecentChange, RecentPage, Source, StoredPosition, TimelineEntry


@dataclass
class Engine:
    """One that counts who asks it."""

    away: bool = False
    hangs: bool = False
    asked: int = 0

    async def answer(self) -> str:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("refused")
        return "here"


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def circuit_of(clock: Clock, call_seconds: float = 5.0) -> Circuit:
    return Circuit("redis", call_seconds, failures_max=3, pause_seconds=1.0, clock=clock)


async def test_after_a_few_failures_nobody_asks_until_a_pause_is_over() -> None:
    clock, engine = Clock(), Engine(away=True)
    circuit = circuit_of(clock)
    for _ in range(50):
        with pytest.raises(StoreUnavailable):
            await circuit.call(engine.answer)
    assert engine.asked == 3
    clock.seconds += 1.5
    for _ in range(50):
        with pytest.raises(StoreUnavailable):
            await circuit.call(engine.answer)
    assert engine.asked == 4


async def test_whoever_finds_it_back_lets_everyone_in() -> None:
    clock, engine = Clock(), Engine(away=True)
    circuit = circuit_of(clock)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            await circuit.call(engine.answer)
    engine.away = False
    with pytest.raises(StoreUnavailable):
        await circuit.call(engine.answer)
    clock.seconds += 1.0
    assert [await circuit.call(engine.answer) for _ in range(3)] == ["here"] * 3
    assert not circuit.open


async def test_while_one_tries_the_others_do_not_wait_for_it() -> None:
    clock, engine = Clock(), Engine(away=True)
    circuit = circuit_of(clock)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await circuit.call(engine.answer)
    engine.hangs = True
    clock.seconds += 1.0
    trying = asyncio.create_task(circuit.call(engine.answer))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="a moment ago"):
        await circuit.call(engine.answer)
    trying.cancel()
    assert engine.asked == 4


async def test_an_answer_that_does_not_come_is_a_failure() -> None:
    engine = Engine(hangs=True)
    circuit = circuit_of(Clock(), call_seconds=0.01)
    for _ in range(4):
        with pytest.raises(StoreUnavailable):
            await circuit.call(engine.answer)
    assert engine.asked == 3


async def test_a_failure_now_and_then_opens_nothing() -> None:
    engine = Engine()
    circuit = circuit_of(Clock())
    for turn in range(12):
        engine.away = turn % 3 > 0
        if engine.away:
            with pytest.raises(StoreUnavailable):
                await circuit.call(engine.answer)
        else:
            assert await circuit.call(engine.answer) == "here"
    assert engine.asked == 12


async def test_an_error_of_ours_is_not_the_engines_absence() -> None:
    circuit = circuit_of(Clock())

    async def wrong() -> None:
        raise ValueError("wrong")

    for _ in range(9):
        with pytest.raises(ValueError, match="wrong"):
            await circuit.call(wrong)
    assert not circuit.open


async def test_guarded_stores_answer_as_the_stores_behind_them() -> None:
    circuit = circuit_of(Clock())
    timelines, cache = GuardedTimelines(MemoryTimelines(), circuit), GuardedCache(MemoryCache(), circuit)
    entry, source = TimelineEntry(5, 50, 7), Source("feed", "feed.fanout", 0)
    await timelines.merge(1, [entry], low_mark_ms=0, opened=await timelines.open(1))
    assert (await timelines.page(1, before=None, limit=9)).entries == (entry,)
    assert await timelines.advance(source, StoredPosition(3))
    assert await timelines.position(source) == (await timelines.positions("feed"))[source] == StoredPosition(3)
    await timelines.drop(1)
    assert not (await timelines.page(1, before=None, limit=9)).exists
    await cache.merge([CacheWrite("key", "field", 1, b"x")])
    assert await cache.read([("key", ("field",))]) == [[b"x"]]
    await cache.drop(["key"])
    recent = GuardedRecent(MemoryRecent(), circuit)
    assert await recent.record([RecentChange(entry, 1, True)]) == [7]
    (opened,) = await recent.open([7])
    await recent.fill(7, [entry], low_mark_ms=0, opened=opened)
    assert await recent.read([7], before=None, limit=9) == [RecentPage((entry,), 0)]
    await recent.drop(7)
    assert await recent.read([7], before=None, limit=9) == [None]
