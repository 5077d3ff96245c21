"""The step's promises: nothing skipped, nothing stored early, an absent engine waited out, a lost position noticed."""

from collections.abc import Sequence
from typing import Any

import pytest

from photolog.errors import LogUnavailable, StoreUnavailable
from photolog.log.record import StoredRecord
from photolog.worker_metrics import STALLED
from projections.stores.counts import Counts
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import Source, StoredPosition
from schemas import events as e
from schemas.topics import LIKES
from streams.decoding import Dead, Decoder
from streams.errors import PositionLost, RecordsSkipped
from streams.step import Batch, Done, Step
from streams.witness import WitnessedPositions
from tests.unit.streams.river import SERDE, MemoryLog, OpenKeys, encoded

SOURCE = Source("noted", LIKES.name, 0)


class Noting:
    """A work that notes what it is given, and raises what it is told to, once each."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.raises: list[Exception] = []
        self.outputs: dict[tuple[str, int], int] = {}
        self.fails: set[int] = set()

    async def do(self, batch: Batch) -> Done:
        if self.raises:
            raise self.raises.pop(0)
        self.offsets += [recorded.offset for recorded in batch.events]
        failed = [Dead(batch.records[offset], "failed: told to") for offset in self.fails & set(batch.records)]
        return Done(dict(self.outputs), failed, duplicates={4} & set(batch.records), noops={3} & set(batch.records))


class World:
    def __init__(self) -> None:
        self.positions: Any = MemoryRows()
        self.log = MemoryLog()
        self.work = Noting()
        self.step = self.another()

    def another(self) -> Step:
        return Step("noted", self.positions, Decoder(SERDE, OpenKeys()), self.work, self.log)

    async def run(self, *offsets: int) -> None:
        await self.step.run(LIKES.name, 0, records(*offsets))

    async def stored(self) -> int | None:
        position = await self.positions.position(SOURCE)
        return position.next_offset if position else None


def records(*offsets: int) -> list[StoredRecord]:
    likes = [(offset, encoded(e.PostLiked(actor_id=1 + offset, post_id=2))) for offset in offsets]
    return [
        StoredRecord(LIKES.name, 0, offset, like.key, like.value, like.headers, like.timestamp_ms)
        for offset, like in likes
    ]


@pytest.fixture
def world() -> World:
    return World()


async def test_records_below_the_stored_position_are_passed_over(world: World) -> None:
    await world.positions.advance(SOURCE, StoredPosition(2))
    await world.run(0, 1, 2, 3)
    assert (world.work.offsets, await world.stored()) == ([2, 3], 4)


async def test_records_that_come_twice_or_out_of_order_are_worked_once_and_in_order(world: World) -> None:
    await world.run(1, 2, 0, 1)
    assert world.work.offsets == [0, 1, 2]


async def test_the_position_is_not_stored_when_the_work_raises(world: World) -> None:
    world.work.raises = [ValueError("a defect")]
    with pytest.raises(ValueError, match="a defect"):
        await world.run(0, 1)
    assert await world.stored() is None


@pytest.mark.parametrize(
    "absence",
    [
        StoreUnavailable("away"),
        LogUnavailable("away"),
        ExceptionGroup("side by side", [StoreUnavailable("away"), StoreUnavailable("away")]),
    ],
)
async def test_an_engine_that_is_away_is_waited_for_and_nothing_is_lost(
    world: World, absence: Exception, no_pauses: list[float]
) -> None:
    world.work.raises = [absence] * 9
    await world.run(0, 1)
    assert (world.work.offsets, await world.stored(), len(no_pauses)) == ([0, 1], 2, 9)
    assert max(no_pauses) <= 5.0
    assert STALLED.labels("noted")._value.get() == 0


async def test_a_defect_beside_an_absence_is_not_waited_out(world: World) -> None:
    world.work.raises = [ExceptionGroup("side by side", [StoreUnavailable("away"), KeyError("defect")])]
    with pytest.raises(ExceptionGroup):
        await world.run(0)


async def test_a_store_that_lost_its_position_ends_the_worker_before_it_writes(world: World) -> None:
    await world.run(0, 1)
    world.positions._positions.clear()
    with pytest.raises(PositionLost):
        await world.run(2, 3)
    assert (world.work.offsets, await world.stored()) == ([0, 1], None)


async def test_a_rewound_position_is_noticed_without_records(world: World) -> None:
    await world.run(0, 1)
    assert await world.step.verify(LIKES.name, 0) == 2
    world.positions._positions[SOURCE] = StoredPosition(1)
    with pytest.raises(PositionLost):
        await world.step.verify(LIKES.name, 0)


async def test_a_position_lost_between_the_seek_and_the_first_batch_is_noticed(world: World) -> None:
    await world.positions.advance(SOURCE, StoredPosition(2))
    assert await world.step.resume(LIKES.name, 0) == 2
    world.positions._positions.clear()
    with pytest.raises(PositionLost):
        await world.run(2)


async def test_a_new_worker_begins_where_the_store_is(world: World) -> None:
    await world.run(0, 1, 2)
    assert await world.another().resume(LIKES.name, 0) == 3


@pytest.mark.parametrize("offsets", [(4, 5), (2, 4)], ids=["behind a hole", "around a hole"])
async def test_records_that_an_engine_went_over_end_the_worker(world: World, offsets: Sequence[int]) -> None:
    await world.step.resume(LIKES.name, 0)
    await world.run(0, 1)
    with pytest.raises(RecordsSkipped):
        await world.run(*offsets)
    assert await world.stored() == 2


async def test_a_hole_that_is_still_there_behind_a_seek_is_the_logs_own(world: World) -> None:
    await world.run(0, 1)
    another = world.another()
    await another.resume(LIKES.name, 0)
    await another.run(LIKES.name, 0, records(4, 5))
    assert await world.stored() == 6


async def test_another_workers_progress_is_passed_over(world: World) -> None:
    await world.run(0)
    await world.another().run(LIKES.name, 0, records(1, 2))
    await world.run(1, 2, 3)
    assert world.work.offsets == [0, 1, 2, 3]


async def test_every_record_is_counted_once_with_the_position_that_goes_past_it(world: World) -> None:
    world.work.fails = {1}
    await world.run(0, 1, 2, 3)
    await world.another().run(LIKES.name, 0, records(2, 3, 4))
    position: Any = await world.positions.position(SOURCE)
    assert position.counts == Counts(consumed=5, applied=2, duplicates=1, noops=1, dead=1, below=5)


async def test_a_batch_whose_position_was_not_stored_is_counted_when_it_comes_again(world: World) -> None:
    world.work.raises = [ValueError("a defect")]
    with pytest.raises(ValueError, match="a defect"):
        await world.run(0, 1)
    await world.run(0, 1)
    position: Any = await world.positions.position(SOURCE)
    assert position.counts == Counts(consumed=2, applied=2, below=2)


async def test_records_that_come_again_because_the_caches_went_back_are_not_counted_again(world: World) -> None:
    caches = MemoryRows()
    world.positions = WitnessedPositions(world.positions, caches)
    world.step = world.another()
    await world.step.resume(LIKES.name, 0)
    await world.run(0, 1, 2)
    caches._positions[SOURCE] = StoredPosition(1)
    again = world.another()
    assert await again.resume(LIKES.name, 0) == 1
    await again.run(LIKES.name, 0, records(1))
    await again.run(LIKES.name, 0, records(2, 3))
    position: Any = await world.positions.position(SOURCE)
    assert (position.next_offset, position.counts) == (4, Counts(consumed=4, applied=3, noops=1, below=4))


async def test_outputs_of_earlier_batches_are_kept_with_the_position(world: World) -> None:
    world.work.outputs = {("feed.fanout", 1): 7, ("feed.fanout", 2): 3}
    await world.run(0)
    world.work.outputs = {("feed.fanout", 1): 9}
    await world.run(1)
    position: Any = await world.positions.position(SOURCE)
    assert position.outputs == {("feed.fanout", 1): 9, ("feed.fanout", 2): 3}
