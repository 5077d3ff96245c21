"""A grown topic: what came before a growth is folded before what comes behind it, and each key keeps its order."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from msgspec.structs import replace

from photolog.log.growth import Growth, History, place_of
from photolog.log.letters import retried
from photolog.log.partitioner import partition_of
from photolog.log.record import EncodedRecord, StoredRecord
from projections.likes import LIKE_COUNTS, LIKES
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import Source, StoredPosition
from schemas import events as e
from schemas.topics import LIKES as LIKES_TOPIC
from streams.errors import AheadOfGrowth
from streams.letters import Chain, OpenLetters
from streams.step import Step
from tests.unit.streams.poison_world import MemoryReader, MemorySettlements
from tests.unit.streams.river import MemoryLog, River, encoded

POST, BEFORE, AFTER = 9, 2, 3
MOVED = next(
    actor
    for actor in range(1, 99)
    if partition_of(b"%d" % actor, AFTER) == 2 and partition_of(b"%d" % actor, BEFORE) == 1
)
STAYED = next(
    actor
    for actor in range(1, 99)
    if partition_of(b"%d" % actor, AFTER) == 1 and partition_of(b"%d" % actor, BEFORE) == 1
)


class MemoryGrowths:
    """Growths in a dictionary."""

    def __init__(self) -> None:
        self.histories: dict[str, History] = {}

    async def of(self, topic: str) -> History:
        return self.histories.get(topic, ())


class World:
    """The likes job over one topic that may grow."""

    def __init__(self) -> None:
        self.growths = MemoryGrowths()
        self.river = River(growths=self.growths)
        self.log: MemoryLog = self.river.log
        self.rows: MemoryRows = self.river.rows
        self.step = self.another()

    def another(self) -> Step:
        """The step of a new process."""
        self.river.restart()
        (step,) = self.river.steps[LIKES_TOPIC.name]
        return step

    def grow(self, *cuts: int) -> None:
        self.growths.histories[LIKES_TOPIC.name] = (Growth(BEFORE, AFTER, cuts),)

    async def run(self, partition: int, records: Sequence[StoredRecord]) -> None:
        await self.step.run(LIKES_TOPIC.name, partition, records)

    async def likes(self) -> int:
        return sum(part.count for part in await self.rows.scan(LIKE_COUNTS, (POST,), limit=10))

    async def stored(self, partition: int) -> int | None:
        position = await self.rows.position(Source("likes", LIKES_TOPIC.name, partition))
        return position.next_offset if position else None


def stretch(partition: int, start: int, *events: e.Event) -> list[StoredRecord]:
    records = [encoded(event) for event in events]
    return [
        StoredRecord(LIKES_TOPIC.name, partition, start + at, one.key, one.value, one.headers, one.timestamp_ms)
        for at, one in enumerate(records)
    ]


def like(actor: int) -> e.Event:
    return e.PostLiked(actor_id=actor, post_id=POST)


def unlike(actor: int) -> e.Event:
    return e.PostUnliked(actor_id=actor, post_id=POST)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_key_that_moved_goes_on_where_offsets_begin_again(world: World) -> None:
    await world.run(1, stretch(1, 0, *[like(STAYED), unlike(STAYED)] * 5, like(MOVED)))
    assert await world.likes() == 1
    world.grow(0, 11)
    await world.run(2, stretch(2, 0, unlike(MOVED)))
    assert await world.rows.get(LIKES.key(MOVED, POST)) is None
    assert await world.likes() == 0
    kept = (await world.rows.load([LIKES.key(MOVED, POST)]))[LIKES.key(MOVED, POST)]
    assert kept.offset == place_of(1, 0)


async def test_what_comes_behind_a_growth_waits_for_what_came_before_it_anywhere(world: World) -> None:
    world.grow(0, 2)
    await world.run(1, stretch(1, 0, like(MOVED)))
    with pytest.raises(AheadOfGrowth):
        await world.run(2, stretch(2, 0, unlike(MOVED)))
    assert (await world.likes(), await world.stored(2)) == (1, None)
    await world.run(1, stretch(1, 1, like(STAYED)))
    world.step = world.another()
    await world.run(2, stretch(2, 0, unlike(MOVED)))
    assert (await world.likes(), await world.stored(2)) == (1, 1)


async def test_a_batch_across_the_growth_is_folded_up_to_it(world: World) -> None:
    world.grow(5, 1)
    with pytest.raises(AheadOfGrowth):
        await world.run(1, stretch(1, 0, like(STAYED), unlike(STAYED)))
    assert (await world.likes(), await world.stored(1)) == (1, 1)
    await world.rows.advance(Source("likes", LIKES_TOPIC.name, 0), StoredPosition(5))
    await world.run(1, stretch(1, 0, like(STAYED), unlike(STAYED)))
    assert (await world.likes(), await world.stored(1)) == (0, 2)


async def test_a_growth_is_noticed_by_a_worker_that_runs(world: World) -> None:
    await world.run(1, stretch(1, 0, *[like(STAYED), unlike(STAYED)] * 20))
    world.grow(0, 40)
    await world.run(1, stretch(1, 40, like(STAYED)))
    kept = (await world.rows.load([LIKES.key(STAYED, POST)]))[LIKES.key(STAYED, POST)]
    assert kept.offset == place_of(1, 40)


async def test_older_records_that_come_again_behind_the_growth_change_nothing(world: World) -> None:
    before = stretch(1, 0, like(MOVED))
    await world.run(1, before)
    world.grow(0, 1)
    await world.run(2, stretch(2, 0, unlike(MOVED)))
    world.rows._positions.clear()
    world.step = world.another()
    await world.run(1, before)
    await world.run(2, stretch(2, 0, unlike(MOVED)))
    assert await world.likes() == 0
    assert await world.rows.get(LIKES.key(MOVED, POST)) is None


async def test_a_record_that_was_appended_by_the_old_count_is_put_aside(world: World) -> None:
    await world.run(1, stretch(1, 0, like(MOVED)))
    world.grow(0, 1)
    await world.run(1, stretch(1, 1, unlike(MOVED), like(STAYED)))
    assert (await world.likes(), await world.stored(1)) == (2, 3)
    (letter,) = world.log.of(LIKES_TOPIC.dead_letters)
    assert (letter.header("dead_reason") or b"").startswith(b"misplaced")
    assert letter.header("dead_offset") == b"1"


def poison(actor: int) -> StoredRecord:
    (record,) = stretch(1, 0, like(actor))
    return replace(record, value=b"garbage")


async def open_chains(world: World) -> list[Chain]:
    letters = OpenLetters(MemoryReader(world.log), world.rows, MemorySettlements(), world.growths)
    return await letters.chains([LIKES_TOPIC])


def landed(partition: int, offset: int, record: EncodedRecord) -> StoredRecord:
    parts = (record.key, record.value, record.headers, record.timestamp_ms)
    return StoredRecord(LIKES_TOPIC.name, partition, offset, *parts)


async def test_a_parked_key_stays_parked_where_it_moved_and_is_retried_there(world: World) -> None:
    await world.run(1, [poison(MOVED), *stretch(1, 1, unlike(MOVED), like(STAYED))])
    world.grow(0, 3)
    await world.run(2, stretch(2, 0, like(MOVED)))
    assert await world.likes() == 1
    (chain,) = await open_chains(world)
    assert [letter.name for letter in chain.letters] == ["likes/1/0", "likes/1/1", "likes/2/0"]
    dropped = retried(chain.letters[0], None, dropped=True)
    others = [retried(letter, before.origin) for before, letter in pairwise(chain.letters)]
    world.step = world.another()
    await world.run(2, [landed(2, 1 + at, record) for at, record in enumerate([dropped, *others])])
    assert (await world.likes(), await open_chains(world)) == (2, [])
    await world.run(2, stretch(2, 4, unlike(MOVED)))
    assert await world.likes() == 1


async def test_a_key_that_was_opened_where_it_moved_is_open_wherever_it_moves_next(world: World) -> None:
    await world.run(1, [poison(MOVED)])
    world.grow(0, 1)
    (chain,) = await open_chains(world)
    await world.run(2, [landed(2, 0, retried(chain.letters[0], None, dropped=True))])
    assert await open_chains(world) == []
    owner = partition_of(b"%d" % MOVED, AFTER + 2)
    world.growths.histories[LIKES_TOPIC.name] += (Growth(AFTER, AFTER + 2, (0, 1, 1)),)  # type: ignore[operator]
    await world.run(owner, stretch(owner, 1 if owner == 2 else 0, like(MOVED)))
    assert await world.likes() == 1


async def test_a_key_that_moved_twice_before_anything_of_it_came_is_still_parked(world: World) -> None:
    await world.run(1, [poison(MOVED)])
    world.growths.histories[LIKES_TOPIC.name] = (Growth(BEFORE, AFTER, (0, 1)), Growth(AFTER, AFTER + 2, (0, 1, 0)))
    owner = partition_of(b"%d" % MOVED, AFTER + 2)
    await world.run(owner, stretch(owner, 1 if owner == 1 else 0, like(MOVED)))
    assert await world.likes() == 0
    (chain,) = await open_chains(world)
    assert len(chain.letters) == 2
