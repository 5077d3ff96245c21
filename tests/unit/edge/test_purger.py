"""The purger: after the rows, twice, and its place in the log moves on behind what every cache did."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from edge.purger import Purger
from edge.purging import MODELS
from photolog.errors import StoreUnavailable
from photolog.log.record import StoredRecord
from projections.stores.memory_rows import MemoryRows
from projections.stores.pinning import never_rebuilt
from projections.stores.port import Source, StoredPosition
from schemas import events as e
from schemas.events import Event
from tests.unit.streams.river import SERDE, MemoryLog, encoded

SETTLE_SECONDS = 12.0


@dataclass
class Log:
    """A log that is read once, as a consumer reads it."""

    told: MemoryLog = field(default_factory=MemoryLog)
    committed: dict[tuple[str, int], int] = field(default_factory=dict)
    reached: dict[tuple[str, int], int] = field(default_factory=dict)

    async def next(self) -> Sequence[StoredRecord]:
        await asyncio.sleep(0)
        found = []
        for place, records in self.told.partitions.items():
            found += records[self.reached.get(place, 0) :]
            self.reached[place] = len(records)
        return found

    async def done(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.committed |= offsets


@dataclass
class Caches:
    """What was purged, and how often a purge fails before it passes."""

    purged: list[tuple[str, ...]] = field(default_factory=list)
    away: int = 0

    async def purge(self, keys: Sequence[str]) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        self.purged.append(tuple(keys))


class Scene:
    def __init__(self) -> None:
        self.log, self.caches, self.rows = Log(), Caches(), MemoryRows()
        self.now = 0.0
        self.purger = self.another()

    def another(self) -> Purger:
        """A purger that begins where nothing is known of any other."""
        return Purger(
            self.log, self.caches, self.rows, SERDE, never_rebuilt(), settle_seconds=SETTLE_SECONDS,
            clock=lambda: self.now,
        )  # fmt: skip

    async def happen(self, *events: Event, folded: bool = True) -> None:
        (*positions,) = await self.log.told.append_all([encoded(event) for event in events])
        for position in positions if folded else ():
            await self.fold(position.topic, position.partition, position.offset)

    async def fold(self, topic: str, partition: int, offset: int) -> None:
        source = Source(MODELS[topic], topic, partition)
        stored = await self.rows.position(source)
        await self.rows.advance(source, StoredPosition(offset + 1), expected=stored.next_offset if stored else 0)


@pytest.fixture
def scene() -> Scene:
    return Scene()


DELETED = e.PostDeleted(post_id=7, owner_id=1)
HIDDEN = e.PrivacyChanged(account_id=1, private=True)
HARMLESS = e.PrivacyChanged(account_id=1, private=False)


async def test_one_call_names_all_that_a_batch_hides(scene: Scene) -> None:
    await scene.happen(DELETED, HIDDEN, HARMLESS)
    await scene.purger.step()
    assert [set(keys) for keys in scene.caches.purged] == [{"post:7", "author:1"}]


async def test_it_tells_again_when_what_the_edge_had_begun_is_over_and_only_then_moves_on(scene: Scene) -> None:
    await scene.happen(DELETED)
    for now, calls, moved in ((0.0, 1, False), (SETTLE_SECONDS - 0.1, 1, False), (SETTLE_SECONDS, 2, True)):
        scene.now = now
        await scene.purger.step()
        assert (len(scene.caches.purged), bool(scene.log.committed)) == (calls, moved)
    assert list(scene.log.committed.values()) == [1]


async def test_a_cache_that_is_away_is_told_until_it_answers_and_the_place_waits(scene: Scene) -> None:
    await scene.happen(DELETED)
    scene.caches.away = 3
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await scene.purger.step()
    await scene.purger.step()
    assert scene.caches.purged == [("post:7",)]
    scene.now, scene.caches.away = SETTLE_SECONDS, 1
    with pytest.raises(StoreUnavailable):
        await scene.purger.step()
    assert not scene.log.committed
    await scene.purger.step()
    assert scene.caches.purged == [("post:7",)] * 2
    assert scene.log.committed


async def test_it_speaks_only_after_the_rows_know(scene: Scene) -> None:
    await scene.happen(DELETED, folded=False)
    step = asyncio.create_task(scene.purger.step())
    await asyncio.sleep(0.1)
    assert not step.done()
    assert scene.caches.purged == []
    (place,) = scene.log.told.partitions
    await scene.fold(*place, 0)
    await step
    assert scene.caches.purged == [("post:7",)]


async def test_rows_that_do_not_come_are_waited_for_again(scene: Scene) -> None:
    await scene.happen(DELETED, folded=False)
    step = asyncio.create_task(scene.purger.step())
    await asyncio.sleep(0.05)
    scene.now += 60
    with pytest.raises(StoreUnavailable, match="read model of posts"):
        await step
    (place,) = scene.log.told.partitions
    await scene.fold(*place, 0)
    await scene.purger.step()
    assert scene.caches.purged == [("post:7",)]


async def test_what_hides_nothing_is_passed_at_once_but_never_before_what_came_first(scene: Scene) -> None:
    await scene.happen(HARMLESS, folded=False)
    await scene.purger.step()
    await scene.purger.step()
    assert (scene.caches.purged, list(scene.log.committed.values())) == ([], [1])
    await scene.happen(HIDDEN)
    (place,) = scene.log.told.partitions
    await scene.fold(*place, 1)
    await scene.purger.step()
    await scene.happen(HARMLESS)
    await scene.purger.step()
    await scene.purger.step()
    assert list(scene.log.committed.values()) == [1], "the second call about what came first is not made yet"
    scene.now = SETTLE_SECONDS
    await scene.purger.step()
    assert list(scene.log.committed.values()) == [3]


async def test_bytes_that_are_no_event_do_not_stop_it(scene: Scene) -> None:
    scene.log.told.append(replace(encoded(DELETED), value=b"garbage"))
    await scene.purger.step()
    await scene.purger.step()
    assert (scene.caches.purged, list(scene.log.committed.values())) == ([], [1])


async def test_it_ends_when_it_is_told_to_also_while_a_cache_is_away(scene: Scene) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(scene.purger.run(stop, ready))
    await asyncio.wait_for(ready.wait(), 5)
    scene.caches.away = 1_000_000
    await scene.happen(DELETED)
    await asyncio.sleep(0.05)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 5)
    assert scene.log.committed == {}
