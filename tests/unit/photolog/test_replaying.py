"""Appending records again: each once, in its key's order, whatever interrupts it."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.errors import LogUnavailable
from photolog.log.bulk import Appended
from photolog.log.growth import Growth
from photolog.log.origins import Origins, origin_headers, origin_of
from photolog.log.partitioner import partition_of
from photolog.log.record import StoredRecord
from photolog.log.replaying import Pace, Plan, Replaying, Tally, by_epoch
from photolog.log.selection import Selection
from photolog.log.slices import Place, Slice
from photolog.positions import Position
from tests.unit.photolog.kafka_client import MemoryClient, record

LIKES, COPY = "likes", "likes.copy"
ALL = Selection()
Log = dict[Place, list[StoredRecord]]


@dataclass
class MemoryAppender:
    """Appends to lists. A batch that it fails at is there in part: of each partition some beginning.

    Args:
        log: the partitions.
        left: how many records it appends before it fails; None for all.
        chaos: decides what of a batch that fails is there.
    """

    log: Log
    left: int | None = None
    chaos: random.Random = field(default_factory=lambda: random.Random(0))

    async def append(self, records: Sequence[Appended]) -> None:
        fails = self.left is not None and len(records) > self.left
        self.left = None if self.left is None else self.left - len(records)
        landed: defaultdict[int, list[Appended]] = defaultdict(list)
        for one in records:
            landed[self._partition(one)].append(one)
        for partition, batch in landed.items():
            for one in batch[: self.chaos.randint(0, len(batch))] if fails else batch:
                self._append(partition, one)
        if fails:
            raise LogUnavailable("broken off")

    def _partition(self, one: Appended) -> int:
        if one.partition is not None:
            return one.partition
        assert one.key is not None
        return partition_of(one.key, sum(topic == one.topic for topic, _ in self.log))

    def _append(self, partition: int, one: Appended) -> None:
        held = self.log[one.topic, partition]
        offset = held[-1].offset + 1 if held else 0
        held.append(
            StoredRecord(one.topic, partition, offset, one.key, one.value, tuple(one.headers), one.timestamp_ms)
        )


def likes(*keys: Sequence[bytes | None], begin: int = 0) -> Log:
    """A topic with these keys in each partition."""
    return {
        (LIKES, partition): [
            StoredRecord(LIKES, partition, begin + at, key, b"%d/%d" % (partition, at), (("ce_id", b"x"),), 100 + at)
            for at, key in enumerate(held)
        ]
        for partition, held in enumerate(keys)
    }


def empty(partitions: int, topic: str = COPY) -> Log:
    return {(topic, partition): [] for partition in range(partitions)}


async def replay(
    log: Log,
    target: str = COPY,
    *,
    selection: Selection = ALL,
    keeps: bool = True,
    left: int | None = None,
    run: str = "",
    history: Sequence[Growth] = (),
    dry: bool = False,
    seed: int = 0,
) -> Tally:
    """One attempt."""
    async with MemoryClient(log, chaos=random.Random(seed)).reader() as reader:
        slices = await reader.whole(LIKES)
        partitions = sum(topic == target for topic, _ in log)
        plan = Plan(slices, history, target, partitions, keeps, selection, run)
        appender = None if dry else MemoryAppender(log, left, random.Random(seed))
        replaying = Replaying(reader, appender, plan, lambda _: None, lambda _: None, Pace(None))
        await replaying.run(await reader.whole(target))
        return replaying.tally


def held(log: Log, topic: str = COPY) -> list[StoredRecord]:
    return [one for (name, _), records in log.items() if name == topic for one in records]


async def test_a_repeat_is_the_record_with_where_it_came_from() -> None:
    log = likes([b"a", None], [b"b"]) | empty(2)
    await replay(log)
    assert [len(log[COPY, 0]), len(log[COPY, 1])] == [2, 1]
    for repeat in held(log):
        original = log[LIKES, repeat.partition][repeat.offset]
        assert (repeat.key, repeat.value, repeat.timestamp_ms) == (original.key, original.value, original.timestamp_ms)
        assert repeat.headers == (
            *original.headers,
            ("replayed_from", f"likes/{original.partition}/{original.offset}".encode()),
        )


KEYS = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=15)


@given(
    keys=st.lists(KEYS, min_size=1, max_size=3),
    target=st.integers(1, 4),
    crashes=st.lists(st.integers(0, 12), max_size=4),
    wanted=st.sets(st.sampled_from([b"a", b"b", b"c", b"d"])),
    seed=st.integers(0, 999),
)
async def test_each_record_is_there_once_and_in_its_keys_order_however_often_it_is_interrupted(
    keys: list[list[bytes]], target: int, crashes: list[int], wanted: set[bytes], seed: int
) -> None:
    # A key lies in one partition.
    where = {key: hash_of(key) % len(keys) for key in (b"a", b"b", b"c", b"d")}
    log = likes(*([key for part in keys for key in part if where[key] == at] for at in range(len(keys))))
    log |= empty(target)
    selection = Selection(keys=frozenset(wanted))
    for attempt, left in enumerate(crashes):
        try:
            await replay(log, selection=selection, keeps=target == len(keys), left=left, seed=seed + attempt)
        except LogUnavailable:
            continue
    await replay(log, selection=selection, keeps=target == len(keys), seed=seed + 99)
    meant = [one for one in held(log, LIKES) if not wanted or one.key in wanted]
    assert sorted(str(one.value) for one in held(log)) == sorted(str(one.value) for one in meant)
    for key in (b"a", b"b", b"c", b"d"):
        assert [one.value for one in held(log) if one.key == key] == [one.value for one in meant if one.key == key]


def hash_of(key: bytes) -> int:
    return partition_of(key, 1_000)


async def test_what_is_there_is_counted_and_not_appended() -> None:
    log = likes([b"a"] * 5) | empty(1)
    with pytest.raises(LogUnavailable):
        await replay(log, left=0)
    there = len(held(log))
    tally = await replay(log)
    assert (tally.read, tally.there, tally.appended, tally.looked) == (5, there, 5 - there, there)
    again = await replay(log)
    assert (again.there, again.appended, len(held(log))) == (5, 0, 5)


async def test_another_selection_adds_what_the_first_left_out() -> None:
    log = likes([b"a", b"b", b"a", b"b"]) | empty(1)
    await replay(log, selection=Selection(keys=frozenset({b"b"})))
    await replay(log)
    assert [one.value for one in held(log)] == [b"0/1", b"0/3", b"0/0", b"0/2"]


async def test_another_run_appends_it_all_once_more() -> None:
    log = likes([b"a", b"b"]) | empty(1)
    await replay(log)
    await replay(log, run="second")
    await replay(log, run="second")
    assert [one.value for one in held(log)] == [b"0/0", b"0/1"] * 2
    assert held(log)[-1].headers[-2:] == (("replayed_from", b"likes/0/1"), ("replayed_run", b"second"))


async def test_into_the_topic_itself_repeats_are_not_repeated() -> None:
    log = likes([b"a", b"b"])
    with pytest.raises(LogUnavailable):
        await replay(log, LIKES, left=0, seed=1)
    repeated = len(log[LIKES, 0]) - 2
    tally = await replay(log, LIKES)
    assert (tally.there, tally.repeats, tally.appended) == (repeated, repeated, 2 - repeated)
    assert [one.value for one in log[LIKES, 0]] == [b"0/0", b"0/1"] * 2
    again = await replay(log, LIKES)
    assert (again.there, again.repeats, again.appended) == (2, 2, 0)


async def test_a_dry_run_counts_and_appends_nothing() -> None:
    log = likes([b"a", b"b"]) | empty(1)
    tally = await replay(log, dry=True)
    assert (tally.appended, tally.types) == (2, {"?": 2})
    assert held(log) == []


async def test_a_key_that_moved_as_its_topic_grew_keeps_its_order() -> None:
    """Its old records lie in one partition, the new ones in another, which may be read first."""
    log = likes([b"a"] * 300, [], [b"a"] * 300) | empty(1)
    history = [Growth(before=2, after=3, cuts=(300, 0))]
    for seed in range(10):
        log |= empty(1)
        await replay(log, keeps=False, history=history, seed=seed)
        assert [one.value for one in held(log)] == [one.value for one in log[LIKES, 0] + log[LIKES, 2]]


def test_an_epoch_is_cut_from_the_next() -> None:
    slices = [Slice(LIKES, 0, 5, 20), Slice(LIKES, 1, 0, 3), Slice(LIKES, 2, 0, 9)]
    history = [Growth(1, 2, (8,)), Growth(2, 3, (15, 2))]
    assert [[(one.partition, one.begin, one.end) for one in epoch] for epoch in by_epoch(slices, history)] == [
        [(0, 5, 8)],
        [(0, 8, 15), (1, 0, 2)],
        [(0, 15, 20), (1, 2, 3), (2, 0, 9)],
    ]


def test_the_last_origin_counts_and_others_headers_are_none() -> None:
    once = record(LIKES, 3, 7, 0)
    assert origin_of(once) is None
    headers = (*origin_headers(once, "first"), *origin_headers(record(COPY, 0, 9, 0), ""))
    twice = StoredRecord("other", 0, 0, b"k", b"v", headers, 0)
    assert origin_of(twice) == (Position(COPY, 0, 9), "")
    for foreign in (None, b"", b"likes", b"likes/0", b"likes/x/1", b"likes/0/-1", b"\xff/0/1/2"):
        assert origin_of(StoredRecord("other", 0, 0, b"k", b"v", (("replayed_from", foreign),), 0)) is None


@given(offsets=st.sets(st.integers(0, 40)), begin=st.integers(0, 20), size=st.integers(0, 20))
def test_origins_remember_exactly_what_they_were_told(offsets: set[int], begin: int, size: int) -> None:
    origins = Origins([Slice(LIKES, 0, begin, begin + size)], "")
    origins.add(StoredRecord(COPY, 0, at, b"k", b"v", origin_headers(record(LIKES, 0, at, 0), ""), 0) for at in offsets)
    origins.add([StoredRecord(COPY, 0, 0, b"k", b"v", origin_headers(record(LIKES, 1, begin, 0), ""), 0)])
    found = {at for at in range(begin, begin + size) if record(LIKES, 0, at, 0) in origins}
    assert found == {at for at in offsets if begin <= at < begin + size}


async def test_a_rate_is_kept_in_small_pieces() -> None:
    now, slept = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(50, lambda: now[0], sleep)
    for part in pace.parts([record(LIKES, 0, at, 0) for at in range(100)]):
        assert len(part) == 5
        await pace.wait(len(part))
    assert now[0] - 100 == pytest.approx(100 / 50, abs=0.11)


async def test_without_a_rate_a_batch_stays_whole() -> None:
    pace = Pace(None)
    records = [record(LIKES, 0, at, 0) for at in range(100)]
    assert list(pace.parts(records)) == [records]
    assert list(pace.parts([])) == []
