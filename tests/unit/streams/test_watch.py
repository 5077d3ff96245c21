"""What a running worker shows of itself, and when it gives up."""

from typing import Any

import pytest
from faust.types import TP

from photolog.worker_metrics import LAG
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import Source, StoredPosition
from schemas.topics import LIKES
from streams.decoding import Decoder
from streams.errors import EngineFailed, PositionLost
from streams.faust_jobs.watch import IDLE_SECONDS_MAX, REBALANCE_SECONDS_MAX, Watch
from streams.step import Batch, Done, Step
from tests.unit.streams.river import SERDE, MemoryLog, OpenKeys

SOURCE = Source("watched", LIKES.name, 0)


class FakeConsumer:
    def __init__(self) -> None:
        self.partitions = {TP(LIKES.name, 0)}
        self.end = 10

    def assignment(self) -> set[TP]:
        return self.partitions

    async def highwaters(self, *partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, self.end)


class FakeApp:
    def __init__(self) -> None:
        self.consumer = FakeConsumer()
        self.started = True
        self.rebalancing = False
        self.crashed = False
        self.crash_reason: BaseException | None = None


class Nothing:
    async def do(self, batch: Batch) -> Done:
        return Done()


class Watched:
    def __init__(self) -> None:
        self.now = 0.0
        self.positions = MemoryRows()
        self.step = Step("watched", self.positions, Decoder(SERDE, OpenKeys()), Nothing(), MemoryLog())
        self.app = FakeApp()
        self.waits = False
        self.watch = Watch(self.app, {LIKES.name: [self.step]}, lambda: self.waits, lambda: self.now)

    async def look_after(self, seconds: float) -> None:
        self.now += seconds
        await self.watch.look()


def shown() -> dict[tuple[str, ...], float]:
    (metric,) = LAG.collect()
    return {
        (sample.labels["topic"], sample.labels["partition"]): sample.value
        for sample in metric.samples
        if sample.labels["projection"] == "watched"
    }


@pytest.fixture
def watched() -> Any:
    made = Watched()
    yield made
    made.watch._view.show({})


async def test_lag_is_the_end_of_the_log_minus_the_stored_position(watched: Watched) -> None:
    await watched.positions.advance(SOURCE, StoredPosition(7))
    await watched.look_after(0)
    assert shown() == {("likes", "0"): 3.0}


async def test_a_partition_that_went_to_another_worker_is_no_longer_shown(watched: Watched) -> None:
    await watched.look_after(0)
    watched.app.consumer.partitions = set()
    await watched.look_after(2)
    assert shown() == {}


async def test_a_rewound_store_is_noticed(watched: Watched) -> None:
    await watched.positions.advance(SOURCE, StoredPosition(7))
    await watched.step.resume(LIKES.name, 0)
    watched.positions._positions.clear()
    with pytest.raises(PositionLost):
        await watched.look_after(2)


async def test_an_engine_that_brings_nothing_for_a_minute_although_there_is_something_has_failed(
    watched: Watched,
) -> None:
    await watched.look_after(0)
    await watched.look_after(IDLE_SECONDS_MAX)
    with pytest.raises(EngineFailed, match="none came for"):
        await watched.look_after(2)


async def test_a_batch_that_takes_long_is_no_failure(watched: Watched) -> None:
    watched.step._running = 1
    await watched.look_after(0)
    await watched.look_after(5 * IDLE_SECONDS_MAX)
    watched.step._running = 0
    await watched.look_after(IDLE_SECONDS_MAX - 1)


async def test_progress_and_an_empty_log_are_no_failure(watched: Watched) -> None:
    for position in (1, 2, 10):
        await watched.look_after(IDLE_SECONDS_MAX)
        await watched.positions.advance(SOURCE, StoredPosition(position))
    await watched.look_after(IDLE_SECONDS_MAX)
    await watched.look_after(10 * IDLE_SECONDS_MAX)


async def test_a_rebalance_that_never_ends_is_a_failure(watched: Watched) -> None:
    await watched.look_after(0)
    watched.app.rebalancing = True
    await watched.look_after(REBALANCE_SECONDS_MAX)
    with pytest.raises(EngineFailed, match="a rebalance did not end"):
        await watched.look_after(2)


async def test_a_rebalance_that_waits_for_a_store_or_for_a_running_batch_is_no_failure(watched: Watched) -> None:
    watched.app.rebalancing = True
    watched.waits = True
    await watched.look_after(2 * REBALANCE_SECONDS_MAX)
    watched.waits, watched.step._running = False, 1
    await watched.look_after(REBALANCE_SECONDS_MAX)
    watched.step._running = 0
    await watched.look_after(REBALANCE_SECONDS_MAX)
    watched.app.rebalancing = False
    await watched.look_after(0)
    watched.app.rebalancing = True
    await watched.look_after(REBALANCE_SECONDS_MAX)


async def test_an_engine_that_gave_up_is_a_failure(watched: Watched) -> None:
    watched.app.crashed, watched.app.crash_reason = True, RuntimeError("consumer gone")
    with pytest.raises(EngineFailed, match="consumer gone"):
        await watched.look_after(0)
