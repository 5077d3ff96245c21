"""Reading stretches of the log, in the log's order and in that of time."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from photolog.errors import LogUnavailable
from photolog.log.merge import Merge, in_time_order
from photolog.log.newest import newest
from photolog.log.record import StoredRecord
from photolog.log.selection import Selection
from photolog.log.slices import Slice
from tests.unit.photolog.kafka_client import MemoryClient, record

LIKES = "likes"


def partition_of_times(partition: int, *times: int, begin: int = 0) -> list[StoredRecord]:
    return [record(LIKES, partition, begin + number, time) for number, time in enumerate(times)]


def client(*partitions: list[StoredRecord], **others: int) -> MemoryClient:
    log = {(LIKES, number): records for number, records in enumerate(partitions)}
    return MemoryClient(log, chaos=random.Random(others.get("seed", 0)))


async def read(memory: MemoryClient, slices: list[Slice]) -> list[StoredRecord]:
    found: list[StoredRecord] = []
    async with memory.reader() as reader:
        async for batch in reader.read(slices):
            found += batch.records
    return found


async def test_a_slice_holds_what_lies_between_its_offsets() -> None:
    memory = client(partition_of_times(0, *range(20)), partition_of_times(1, *range(10), begin=100))
    found = await read(memory, [Slice(LIKES, 0, 5, 8), Slice(LIKES, 1, 100, 103)])
    assert sorted((one.partition, one.offset) for one in found) == [
        (0, 5),
        (0, 6),
        (0, 7),
        (1, 100),
        (1, 101),
        (1, 102),
    ]
    assert memory.closed


async def test_nothing_is_read_of_an_empty_slice() -> None:
    memory = client(partition_of_times(0, 1, 2, 3), [])
    assert await read(memory, [Slice(LIKES, 0, 2, 2), Slice(LIKES, 1, 0, 0)]) == []
    assert memory.given == 0


async def test_a_partition_that_was_finished_is_read_again_by_the_next_call() -> None:
    memory = client(partition_of_times(0, *range(20)))
    async with memory.reader() as reader:
        for begin, end in ((0, 5), (3, 12)):
            found = [one.offset async for batch in reader.read([Slice(LIKES, 0, begin, end)]) for one in batch.records]
            assert found == list(range(begin, end))


async def test_a_partition_that_ends_with_no_record_is_finished() -> None:
    """A transaction's marker has an offset and is never given."""
    memory = MemoryClient({(LIKES, 0): partition_of_times(0, 1, 2)}, ends={(LIKES, 0): 4})
    assert [one.offset for one in await read(memory, [Slice(LIKES, 0, 0, 4)])] == [0, 1]


async def test_a_slice_without_an_end_goes_on_and_tells_when_it_is_no_longer_behind() -> None:
    memory = client(partition_of_times(0, *range(20)))
    records = memory.log[LIKES, 0]
    async with memory.reader() as reader:
        reading = reader.read([Slice(LIKES, 0, 0, None)])
        count = 0
        while count < 20:
            batch = await anext(reading)
            count += len(batch.records)
            assert bool(batch.behind) is (count < 20)
        records.append(record(LIKES, 0, 20, 20))
        found: list[StoredRecord] = []
        while not found:
            found += (await anext(reading)).records
        assert found == records[20:]


async def test_a_broker_that_goes_away_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client itself waits for it without a word."""
    monkeypatch.setattr("photolog.log.slices.BATCH_RECORDS_MAX", 1)
    memory = client(partition_of_times(0, *range(20)))
    async with memory.reader() as reader:
        reading = reader.read(await reader.whole(LIKES))
        assert len((await anext(reading)).records) == 1
        memory.away = True
        with pytest.raises(LogUnavailable):
            await anext(reading)


async def test_a_topic_that_is_not_there_is_told_of() -> None:
    async with client([]).reader() as reader:
        with pytest.raises(LogUnavailable, match="no topic unlikes"):
            await reader.whole("unlikes")


async def test_since_a_time_begins_with_the_first_record_of_it() -> None:
    memory = client(partition_of_times(0, 10, 20, 15, 30), partition_of_times(1, 1, 2))
    async with memory.reader() as reader:
        slices = await reader.since(await reader.whole(LIKES), 18)
        assert [(one.begin, one.end) for one in slices] == [(1, 4), (2, 2)]
        later = await reader.since([Slice(LIKES, 0, 2, 4)], 18)
        assert later == [Slice(LIKES, 0, 2, 4)]


TIMES = st.lists(st.integers(0, 50), max_size=40)


@given(partitions=st.lists(TIMES, min_size=1, max_size=4), seed=st.integers(0, 999), room=st.integers(0, 5_000))
def test_a_merge_gives_everything_and_keeps_each_partitions_order(
    partitions: list[list[int]], seed: int, room: int
) -> None:
    chaos = random.Random(seed)
    log = {(LIKES, number): partition_of_times(number, *times) for number, times in enumerate(partitions)}
    left = {place: list(records) for place, records in log.items()}
    merge, found = Merge(room), list[StoredRecord]()
    while any(left.values()):
        place = chaos.choice([one for one in left if left[one]])
        if place not in merge.full:
            count = chaos.randint(1, 7)
            merge.add(left[place][:count])
            left[place] = left[place][count:]
        found += merge.take(frozenset(one for one in left if left[one]))
    found += merge.take(frozenset())
    for place, records in log.items():
        assert [one for one in found if (one.topic, one.partition) == place] == records
    if all(times == sorted(times) for times in partitions):
        assert [one.timestamp_ms for one in found] == sorted(one.timestamp_ms for one in found)


@given(partitions=st.lists(TIMES.map(sorted), min_size=1, max_size=4), seed=st.integers(0, 999))
async def test_what_is_read_side_by_side_comes_in_the_order_of_time(partitions: list[list[int]], seed: int) -> None:
    memory = client(*(partition_of_times(number, *times) for number, times in enumerate(partitions)), seed=seed)
    async with memory.reader() as reader:
        found = [one async for records in in_time_order(reader, await reader.whole(LIKES)) for one in records]
    assert [one.timestamp_ms for one in found] == sorted(time for times in partitions for time in times)


async def test_a_partition_that_is_ahead_is_held_and_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """One partition holds everything of long ago; whatever the other gives has to wait for it."""
    monkeypatch.setattr("photolog.log.merge.BUFFER_BYTES_MAX", 20_000)
    monkeypatch.setattr("photolog.log.slices.BATCH_RECORDS_MAX", 10)
    memory = client(partition_of_times(0, *range(3_000)), partition_of_times(1, *range(10_000, 13_000)))
    held = 0
    async with memory.reader() as reader:
        found = []
        async for records in in_time_order(reader, await reader.whole(LIKES)):
            found += records
            held = max(held, memory.given - len(found) - 2)
    assert [one.timestamp_ms for one in found] == [*range(3_000), *range(10_000, 13_000)]
    assert held < 100


@given(
    partitions=st.lists(TIMES.map(sorted), min_size=1, max_size=4),
    limit=st.integers(0, 12),
    wanted=st.sets(st.integers(0, 50)),
    seed=st.integers(0, 999),
)
async def test_the_newest_are_those_that_reading_everything_finds(
    partitions: list[list[int]], limit: int, wanted: set[int], seed: int
) -> None:
    memory = client(*(partition_of_times(number, *times) for number, times in enumerate(partitions)), seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("photolog.log.newest._WINDOW_RECORDS", 1)
        async with memory.reader() as reader:
            found = await newest(reader, await reader.whole(LIKES), limit, lambda one: one.timestamp_ms in wanted)
    times = sorted(time for times in partitions for time in times if time in wanted)
    assert [one.timestamp_ms for one in found] == times[len(times) - min(limit, len(times)) :]


async def test_the_newest_of_a_long_topic_are_found_without_reading_all_of_it() -> None:
    memory = client(partition_of_times(0, *range(50_000)))
    async with memory.reader() as reader:
        found = await newest(reader, await reader.whole(LIKES), 3, lambda _: True)
    assert [one.timestamp_ms for one in found] == [49_997, 49_998, 49_999]
    assert memory.given < 2_000


def test_a_selection_goes_by_time_type_and_key() -> None:
    like = record(LIKES, 0, 0, 100, key=b"7", event_type="post.liked")

    def holds(selection: Selection, one: StoredRecord = like) -> bool:
        return selection.holds(one, lambda _: "post.unliked")

    assert holds(Selection())
    assert holds(Selection(since_ms=100, until_ms=101, types=frozenset({"post.liked"}), keys=frozenset({b"7", b"8"})))
    assert not holds(Selection(since_ms=101))
    assert not holds(Selection(until_ms=100))
    assert not holds(Selection(types=frozenset({"post.unliked"})))
    assert not holds(Selection(keys=frozenset({b"8"})))
    assert holds(Selection(types=frozenset({"post.unliked"})), replace(like, headers=()))


def test_a_record_whose_type_nobody_can_tell_is_in_where_that_is_asked_for() -> None:
    nothing = record(LIKES, 0, 0, 100)
    for untyped in (True, False):
        selection = Selection(types=frozenset({"post.liked"}), untyped=untyped)
        assert selection.holds(nothing, lambda _: None) is untyped
