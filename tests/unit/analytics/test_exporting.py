"""Exports: each event once, none missing and nothing personal, whoever dies, doubles or does the same meanwhile."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.exporting import Bounds, Exporter
from analytics.layout import HOUR_MS, hour_of, parsed
from analytics.stretches import Noted, Progress
from analytics.tally import Tally
from photolog.errors import Conflict, Gone
from photolog.ids import new_event_id
from photolog.log.record import StoredRecord
from schemas import events as e
from schemas.topics import LIKES, TOPICS
from tests.unit.analytics.world import SMALL, MemoryFiles, MemoryPositions, World
from tests.unit.mortal import Killed, Mortal
from tests.unit.streams.river import NOW_MS

BOTH = (e.PostLiked, e.PostUnliked)
COMMAND, CONCLUSION = "command", "conclusion"


def event_id_of(record: StoredRecord) -> str:
    return (record.header("ce_id") or b"").decode()


def liked(actor: int, post_id: int = 1) -> e.PostLiked:
    return e.PostLiked(actor_id=actor, post_id=post_id)


async def test_events_are_in_files_of_their_type_and_hour_with_their_fields() -> None:
    world = World()
    record = world.append(liked(7, 2**62 + 1), at_ms=NOW_MS)
    world.append(liked(7), at_ms=NOW_MS + 2 * HOUR_MS)
    world.append(e.PostUnliked(actor_id=7, post_id=1), at_ms=NOW_MS)
    tally = await world.export(BOTH)
    rows = {(file.type, file.hour_ms): held for file, held in world.exported()}
    hour = hour_of(NOW_MS)
    assert set(rows) == {("post.liked", hour), ("post.liked", hour + 2 * HOUR_MS), ("post.unliked", hour)}
    (row,) = rows["post.liked", hour]
    assert row.pop("time").timestamp() * 1_000 == NOW_MS  # type: ignore[attr-defined]
    place = {"topic": "likes", "partition": record.partition, "offset": 0}
    assert row == {"event_id": event_id_of(record), **place, "actor_id": 7, "post_id": 2**62 + 1}
    assert {name: (one.events, one.files) for name, one in tally.types.items()} == {
        "post.liked": (2, 2),
        "post.unliked": (1, 1),
    }
    files = [data for key, data in world.files.objects.items() if parsed(key)]
    assert sum(one.size_bytes for one in tally.types.values()) == sum(map(len, files))
    assert (tally.done, tally.total) == (3, 3)


async def test_a_second_export_brings_what_came_since_and_no_more() -> None:
    world = World()
    for actor in range(9):
        world.append(liked(actor))
    await world.export(BOTH)
    before = world.exported()
    assert (await world.export(BOTH)).total == 0
    assert world.exported() == before
    later = world.append(liked(3, 2))
    assert (await world.export(BOTH)).types["post.liked"].events == 1
    assert all(one in world.exported() for one in before)
    assert event_id_of(later) in world.ids()
    assert len(world.ids()) == len(set(world.ids())) == 10


async def test_a_type_that_is_exported_later_begins_at_the_logs_start() -> None:
    world = World()
    for actor in range(5):
        world.append(liked(actor))
        world.append(e.PostUnliked(actor_id=actor, post_id=1))
    await world.export([e.PostLiked])
    assert {file.type for file, _ in world.exported()} == {"post.liked"}
    await world.export(BOTH)
    assert len(world.ids()) == len(set(world.ids())) == 10


async def test_an_export_until_a_time_leaves_the_rest_to_the_next() -> None:
    world = World(partitions=1)
    for number in range(6):
        world.append(liked(number), at_ms=NOW_MS + number)
    await world.export(BOTH, until_ms=NOW_MS + 4)
    assert len(world.ids()) == 4
    await world.export(BOTH)
    assert len(set(world.ids())) == len(world.ids()) == 6


async def test_nothing_personal_is_in_a_file_sealed_or_open() -> None:
    world = World()
    world.append(e.CommentCreated(comment_id=1, post_id=2, author_id=3, text="planted words"))
    world.append(
        e.PostCreated(
            post_id=2, owner_id=3, media_ids=[4, 5], alt_texts=["planted"], caption="planted", mentions=["planted"],
            location=e.Location(name="planted"), hashtags=["sky"], audience="public",
        )
    )  # fmt: skip
    await world.export([e.CommentCreated, e.PostCreated])
    rows = {file.type: held[0] for file, held in world.exported()}
    assert set(rows["comment.created"]) & {"text", "comment_id", "author_id"} == {"comment_id", "author_id"}
    assert rows["post.created"]["media_ids"] == [4, 5]
    assert rows["post.created"]["hashtags"] == ["sky"]
    assert not {"caption", "alt_texts", "mentions", "location"} & set(rows["post.created"])
    assert all(b"planted" not in data for data in world.files.objects.values())


async def test_what_is_no_event_is_counted_and_does_not_stop_an_export() -> None:
    world = World(partitions=1)
    world.append(liked(1))
    world.append_record(StoredRecord("likes", 0, 0, b"1", b"\x09poison", (("ce_id", b"x"),), NOW_MS))
    record = world.append(liked(1))
    world.append_record(StoredRecord("likes", 0, 0, b"1", record.value, (), NOW_MS))
    world.append_record(StoredRecord("likes", 0, 0, b"1", record.value, record.headers, -1))
    tally = await world.export(BOTH)
    assert (len(world.ids()), tally.topics["likes"].undecodable) == (2, 3)


async def test_what_lies_where_its_key_does_not_belong_is_left_out_as_jobs_do() -> None:
    world = World(partitions=1)
    world.append(liked(1))
    world.grow("likes", 2)
    moved = next(actor for actor in range(2, 50) if world.append(liked(actor)).partition == 1)
    stray = world.log["likes", 1][-1]
    world.log["likes", 0].append(
        StoredRecord("likes", 0, len(world.log["likes", 0]), stray.key, stray.value, (("ce_id", b"x"),), NOW_MS)
    )
    tally = await world.export(BOTH)
    assert tally.topics["likes"].misplaced == 1
    assert sum(row["actor_id"] == moved for _, rows in world.exported() for row in rows) == 1


async def test_a_log_that_lost_what_comes_next_is_an_error_that_names_the_gap() -> None:
    world = World(partitions=1)
    for actor in range(4):
        world.append(liked(actor))
    await world.export(BOTH)
    for actor in range(6):
        world.append(liked(actor, 2))
    world.lose(("likes", 0), 7)
    with pytest.raises(Gone, match="likes/0 is exported up to 4, and the log holds it from 7 on: 3 offsets are gone"):
        await world.export(BOTH)
    tally = await world.export(BOTH, skip_lost=True)
    assert (tally.topics["likes"].lost, len(world.ids())) == (3, 7)
    world.append(liked(1, 3))
    await world.export(BOTH)
    assert len(set(world.ids())) == len(world.ids()) == 8


async def test_a_stretch_that_was_begun_and_lost_since_doubles_nothing() -> None:
    world = World(partitions=1)
    for actor in range(8):
        world.append(liked(actor))
    calls = {"left": 1, "after": True}  # the file: it is planned and there, and nothing says that it is finished
    dying = world.ports(files=Mortal(world.files, calls, ("put",)))
    with pytest.raises(Killed):
        await Exporter(dying, Tally(), Bounds(6, 1 << 20)).run([e.PostLiked])
    assert len(world.ids()) == 6
    world.lose(("likes", 0), 2)
    await world.export([e.PostLiked], skip_lost=True)
    assert len(set(world.ids())) == len(world.ids()) == 8


async def test_positions_that_were_lost_are_an_error_and_double_nothing() -> None:
    world = World()
    world.append(liked(1))
    await world.export(BOTH)
    world.positions.noted.clear()
    with pytest.raises(Conflict, match=r"up to 1, and export_positions says 0: it was lost"):
        await world.export(BOTH)
    world.files.objects.clear()
    await world.export(BOTH)
    assert len(world.ids()) == 1


async def test_positions_of_an_older_copy_are_an_error_and_double_nothing() -> None:
    world = World(partitions=1)
    for actor in range(9):
        world.append(liked(actor))
    await world.export(BOTH)
    older = dict(world.positions.noted)
    world.append(liked(1, 2))
    await world.export(BOTH)
    newer, world.positions.noted = world.positions.noted, older
    with pytest.raises(Conflict, match=r"post\.liked of likes/0 up to 10, and export_positions says 9"):
        await world.export(BOTH)
    world.positions.noted = newer
    await world.export(BOTH)
    assert len(world.ids()) == 10


async def test_a_log_that_is_behind_its_export_is_another() -> None:
    world = World(partitions=1)
    world.positions.noted["likes", 0] = Noted(1, {"post.liked": Progress(5)})
    world.append(liked(1))
    with pytest.raises(Conflict, match="exported up to 5 and ends at 1"):
        await world.export(BOTH)


async def test_a_conclusion_that_is_drawn_again_hours_later_is_one_event() -> None:
    world = World(partitions=1)
    event_id = uuid5(UUID(int=1), "publication/2")
    for hours in (0, 1, 40):
        world.append(e.PostRejected(post_id=2, owner_id=3, media_id=4, reason="r"), event_id=event_id,
                     at_ms=NOW_MS + hours * HOUR_MS)  # fmt: skip
        tally = await world.export([e.PostRejected])
        assert tally.types["post.rejected"].repeats == (hours > 0)
    assert world.ids() == [str(event_id)]


# What happens to the log, one thing after the other.
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([COMMAND, CONCLUSION]), st.integers(0, 5), st.integers(0, 3)),
        st.tuples(st.just("again"), st.integers(0, 30), st.integers(0, 3)),
        st.tuples(st.just("grow"), st.just(0), st.just(0)),
        st.tuples(st.just("dies"), st.integers(1, 12), st.integers(0, 1)),
    ),
    max_size=40,
)


def happen(world: World, appended: list[StoredRecord], what: str, one: int, other: int) -> None:
    """What may happen to a log. Commands that are repeated keep their time, conclusions do not."""
    at_ms = NOW_MS + other * HOUR_MS
    if what == COMMAND:
        appended.append(world.append(liked(one), event_id=new_event_id(), at_ms=at_ms))
    elif what == CONCLUSION:
        appended.append(world.append(liked(one), event_id=uuid5(UUID(int=0), str(len(appended))), at_ms=at_ms))
    elif what == "again" and appended:
        record = appended[one % len(appended)]
        # The clock of whoever concludes it again may be an hour behind.
        is_command = UUID(event_id_of(record)).version == 7
        world.append_record(record if is_command else _at(record, record.timestamp_ms + (other - 1) * HOUR_MS))
    elif what == "grow" and world.count_of("likes") < 5:
        world.grow("likes", world.count_of("likes") + 1)


def _at(record: StoredRecord, at_ms: int) -> StoredRecord:
    return StoredRecord(record.topic, 0, 0, record.key, record.value, record.headers, at_ms)


async def die_somewhere(world: World, calls: int, after: int) -> None:
    """An export that dies at one of its calls, before it or right after."""
    left = {"left": calls, "after": bool(after)}
    files = Mortal(world.files, left, ("put", "get"))
    ports = world.ports(calls, files=files, positions=Mortal(world.positions, left, ("of", "change")))
    try:
        await Exporter(ports, Tally(), SMALL).run(BOTH)
    except Killed:
        return


@given(HAPPENINGS)
def test_each_event_is_exported_once_whatever_dies_grows_and_comes_again(
    happenings: list[tuple[str, int, int]],
) -> None:
    async def live() -> None:
        world, appended = World(), list[StoredRecord]()
        for what, one, other in happenings:
            if what == "dies":
                await die_somewhere(world, one, other)
            else:
                happen(world, appended, what, one, other)
        await world.export(BOTH, bounds=SMALL)
        wanted = {event_id_of(record) for record in appended}
        assert sorted(world.ids()) == sorted(wanted)

    asyncio.run(live())


class Yielding:
    """A port whose calls let others go first, now and then."""

    def __init__(self, inner: Any, chaos: random.Random) -> None:
        self._inner = inner
        self._chaos = chaos

    async def _wait(self) -> None:
        for _ in range(self._chaos.randrange(4)):
            await asyncio.sleep(0)


class YieldingFiles(Yielding, MemoryFiles):
    """The same for a bucket."""

    async def keys(self, prefix: str, after: str = "") -> Any:
        await self._wait()
        async for page in self._inner.keys(prefix, after):
            yield page
            await self._wait()

    async def get(self, key: str) -> bytes:
        await self._wait()
        found: bytes = await self._inner.get(key)
        return found

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        await self._wait()
        await self._inner.put(key, data, content_type)


class YieldingPositions(Yielding, MemoryPositions):
    """The same for positions."""

    async def of(self, topic: str) -> Mapping[int, Noted]:
        await self._wait()
        found: Mapping[int, Noted] = await self._inner.of(topic)
        return found

    async def change(self, topic: str, partition: int, noted: Noted, types: Mapping[str, Progress]) -> bool:
        await self._wait()
        changed: bool = await self._inner.change(topic, partition, noted, types)
        return changed


@given(HAPPENINGS, st.integers(0, 2**16))
def test_exporters_that_run_at_once_export_each_event_once(happenings: list[tuple[str, int, int]], seed: int) -> None:
    async def live() -> None:
        world, appended, chaos = World(), list[StoredRecord](), random.Random(seed)

        async def exporter(types: tuple[type[e.Event], ...]) -> None:
            files, positions = YieldingFiles(world.files, chaos), YieldingPositions(world.positions, chaos)
            ports = world.ports(chaos.randrange(100), files=files, positions=positions)
            await Exporter(ports, Tally(), Bounds(chaos.randint(1, 6), 1 << 20)).run(types)

        for what, one, other in happenings:
            if what == "dies":
                await asyncio.gather(exporter(BOTH), exporter(BOTH), exporter((e.PostLiked,)))
            else:
                happen(world, appended, what, one, other)
        await asyncio.gather(exporter(BOTH), exporter(BOTH))
        assert sorted(world.ids()) == sorted({event_id_of(record) for record in appended})

    asyncio.run(live())


def test_the_properties_above_are_about_topics_that_exist() -> None:
    assert LIKES in TOPICS
    assert set(BOTH) <= set(LIKES.events)
