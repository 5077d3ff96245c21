"""What every row store must do."""

import itertools
from typing import Any
from uuid import UUID

import msgspec
import pytest

from photolog.ids import new_event_id
from projections.packing import pack_ranked, pack_row, ranked_key
from projections.stores.port import RowStore
from projections.tables import Row, RowKey, Table
from projections.writes import ABSENT, Kept, Positioned, put, remove
from tests.contract.sample_tables import (
    AGGREGATES,
    ASCENDING,
    DESCENDING,
    EVERY_TYPE,
    MIXED,
    NAMED,
    ORDERED,
    TWO_PARTS,
    Aggregate,
    Entry,
    EveryType,
    Named,
    fresh_id,
)
from tests.unit.projections.membership import MEMBERS, Member

PLAIN = EveryType(
    number_id=0,
    text_id="key",
    text="words",
    kind="one",
    whole=1,
    real=1.5,
    flag=True,
    raw=b"raw",
    numbers=[3, 1, 2, 1],
    texts=["b", "a"],
    text_or_none="t",
    kind_or_none="two",
    whole_or_none=2,
    real_or_none=0.5,
    flag_or_none=False,
    raw_or_none=b"r",
    numbers_or_none=[7],
)
NOTHING = {
    "text_or_none": None,
    "kind_or_none": None,
    "whole_or_none": None,
    "real_or_none": None,
    "flag_or_none": None,
    "raw_or_none": None,
    "numbers_or_none": None,
}


def put_at(offset: int, table: Table[Any], row: Row, *event_ids: UUID) -> Positioned:
    return Positioned(put(table, row), offset, event_ids)


def remove_at(offset: int, key: RowKey[Any], *event_ids: UUID) -> Positioned:
    return Positioned(remove(key), offset, event_ids)


def entry(owner_id: int, first: int = 0, second: int = 0, third: int = 0, value: str = "") -> Entry:
    return Entry(owner_id=owner_id, first=first, second=second, third=third, value=value)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        NOTHING,
        {"text": "", "raw": b"", "numbers": [], "texts": [], "numbers_or_none": [], "text_or_none": ""},
        {"whole": 2**63 - 1, "whole_or_none": -(2**63), "numbers": [2**63 - 1, -(2**63), 0]},
        {"text": "naïve 写真 👩‍👩‍👧 \x00 \u200f עברית", "texts": ["é", "e\u0301", ""], "text_id": "ключ/'\"%?"},
        {"raw": bytes(range(256)), "raw_or_none": b"\x00"},
        {"real": -0.0, "real_or_none": 1e308},
        {"flag": False, "whole": 0, "real": 0.0, "kind": "two"},
    ],
    ids=["plain", "none", "empty", "big", "unicode", "bytes", "real", "falsy"],
)
async def test_a_row_comes_back_as_it_was_put(rows: RowStore, fields: dict[str, Any]) -> None:
    row = msgspec.structs.replace(PLAIN, number_id=fresh_id(), **fields)
    key = EVERY_TYPE.key_of(row)
    await rows.apply([[put_at(5, EVERY_TYPE, row)]])
    assert await rows.get(key) == row
    assert await rows.load([key]) == {key: Kept(row, 5)}


async def test_a_later_put_replaces_the_whole_row(rows: RowStore) -> None:
    row = msgspec.structs.replace(PLAIN, number_id=fresh_id())
    emptied = msgspec.structs.replace(row, numbers=[], texts=["c"], **NOTHING)
    await rows.apply([[put_at(1, EVERY_TYPE, row)]])
    await rows.apply([[put_at(2, EVERY_TYPE, emptied)]])
    assert await rows.get(EVERY_TYPE.key_of(row)) == emptied


async def test_what_was_never_written_is_absent(rows: RowStore) -> None:
    aggregate, listed = AGGREGATES.key(fresh_id()), ASCENDING.key(fresh_id(), 1, 1, 1)
    assert await rows.get(aggregate) is None
    assert await rows.load([aggregate, listed]) == {aggregate: ABSENT, listed: ABSENT}
    assert await rows.load([]) == {}
    assert await rows.scan(ASCENDING, (fresh_id(),), limit=10) == []


async def test_an_older_put_loses_in_either_order(rows: RowStore) -> None:
    for order in itertools.permutations((1, 2, 3)):
        owner_id = fresh_id()
        for offset in order:
            await rows.apply([[put_at(offset, ASCENDING, entry(owner_id, value=f"at {offset}"))]])
        kept = await rows.load([ASCENDING.key(owner_id, 0, 0, 0)])
        assert list(kept.values()) == [Kept(entry(owner_id, value="at 3"), 3)]


async def test_an_older_put_does_not_bring_a_removed_row_back(rows: RowStore) -> None:
    owner_id = fresh_id()
    key = ASCENDING.key(owner_id, 0, 0, 0)
    await rows.apply([[remove_at(7, key)]])
    await rows.apply([[put_at(6, ASCENDING, entry(owner_id))]])
    assert await rows.get(key) is None
    assert await rows.load([key]) == {key: ABSENT}
    assert await rows.scan(ASCENDING, (owner_id,), limit=10) == []
    await rows.apply([[put_at(8, ASCENDING, entry(owner_id, value="again"))]])
    assert await rows.get(key) == entry(owner_id, value="again")


async def test_an_older_removal_does_not_remove_a_newer_row(rows: RowStore) -> None:
    owner_id = fresh_id()
    await rows.apply([[put_at(7, ASCENDING, entry(owner_id))]])
    await rows.apply([[remove_at(6, ASCENDING.key(owner_id, 0, 0, 0))]])
    assert await rows.scan(ASCENDING, (owner_id,), limit=10) == [entry(owner_id)]


async def test_a_batch_that_is_delivered_again_changes_nothing(rows: RowStore) -> None:
    owner_id, event_id = fresh_id(), new_event_id()
    puts = [put_at(number, MIXED, entry(owner_id, number)) for number in (1, 2)]
    batch = [
        [*puts, remove_at(3, MIXED.key(owner_id, 1, 0, 0))],
        [put_at(3, AGGREGATES, Aggregate(aggregate_id=owner_id, value="x"), event_id)],
    ]
    keys = [write.write.key for stage in batch for write in stage]
    await rows.apply(batch)
    once = await rows.load(keys)
    await rows.apply(batch)
    await rows.apply(batch[:1])
    assert await rows.load(keys) == once
    assert once[AGGREGATES.key(owner_id)] == Kept(Aggregate(aggregate_id=owner_id, value="x"), 3, (event_id,))
    assert await rows.scan(MIXED, (owner_id,), limit=10) == [entry(owner_id, 2)]


async def test_within_a_stage_the_newest_write_of_a_row_counts(rows: RowStore) -> None:
    owner_id = fresh_id()
    stage = [put_at(offset, ASCENDING, entry(owner_id, value=f"at {offset}")) for offset in (4, 9, 2, 7)]
    await rows.apply([stage])
    assert await rows.get(ASCENDING.key(owner_id, 0, 0, 0)) == entry(owner_id, value="at 9")


async def test_an_aggregate_remembers_its_events_in_order(rows: RowStore) -> None:
    aggregate_id = fresh_id()
    event_ids = tuple(new_event_id() for _ in range(512))
    row = Aggregate(aggregate_id=aggregate_id, value="v")
    await rows.apply([[put_at(2**40 - 1, AGGREGATES, row, *event_ids)]])
    key = AGGREGATES.key(aggregate_id)
    assert await rows.load([key]) == {key: Kept(row, 2**40 - 1, event_ids)}


async def test_an_aggregate_that_is_removed_keeps_its_memory(rows: RowStore) -> None:
    aggregate_id, event_ids = fresh_id(), (new_event_id(), new_event_id())
    key = AGGREGATES.key(aggregate_id)
    await rows.apply([[put_at(3, AGGREGATES, Aggregate(aggregate_id=aggregate_id, value="v", note="n"), event_ids[0])]])
    await rows.apply([[remove_at(4, key, *event_ids)]])
    assert await rows.get(key) is None
    assert await rows.load([key]) == {key: Kept(None, 4, event_ids)}
    await rows.apply([[put_at(3, AGGREGATES, Aggregate(aggregate_id=aggregate_id, value="v"), event_ids[0])]])
    assert await rows.load([key]) == {key: Kept(None, 4, event_ids)}
    back = Aggregate(aggregate_id=aggregate_id, value="back")
    await rows.apply([[put_at(5, AGGREGATES, back, *event_ids)]])
    assert await rows.get(key) == back


async def test_an_event_without_effect_is_remembered_where_no_row_is(rows: RowStore) -> None:
    key, event_id = AGGREGATES.key(fresh_id()), new_event_id()
    await rows.apply([[remove_at(0, key, event_id)]])
    assert await rows.load([key]) == {key: Kept(None, 0, (event_id,))}


async def test_many_rows_come_in_the_order_of_their_keys(rows: RowStore) -> None:
    owner_id, aggregate_id = fresh_id(), fresh_id()
    await rows.apply([[put_at(number, ASCENDING, entry(owner_id, number)) for number in range(300)]])
    numbers = [7, 299, 1_000, 7, 0, *range(250, 100, -1), 7]
    found = await rows.get_many([ASCENDING.key(owner_id, number, 0, 0) for number in numbers])
    assert found == [None if number == 1_000 else entry(owner_id, number) for number in numbers]
    await rows.apply([[put_at(1, AGGREGATES, Aggregate(aggregate_id=aggregate_id, value="v"))]])
    mixed: list[RowKey[Row]] = [ASCENDING.key(owner_id, 1, 0, 0), AGGREGATES.key(aggregate_id)]
    assert await rows.get_many(mixed) == [entry(owner_id, 1), Aggregate(aggregate_id=aggregate_id, value="v")]
    assert await rows.get_many([]) == []


@pytest.mark.parametrize("actors", [1, 3, 40])
async def test_many_rows_of_few_or_many_partitions_come_without_their_neighbours(rows: RowStore, actors: int) -> None:
    first = fresh_id(actors)
    there = [Member(actor_id=first + number % actors, post_id=number, since_ms=number) for number in range(200)]
    await rows.apply([[put_at(number, MEMBERS, row) for number, row in enumerate(there)]])
    wanted = there[::3]
    absent = [MEMBERS.key(first + number % actors, number + 1_000) for number in range(40)]
    held = await rows.load([*(MEMBERS.key_of(row) for row in wanted), *absent])
    assert {key: kept.row for key, kept in held.items()} == {
        **{MEMBERS.key_of(row): row for row in wanted},
        **dict.fromkeys(absent),
    }


def places(values: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Every clustering key of these values."""
    return [(first, second, third) for first in values for second in values for third in values]


def in_order(table: Table[Entry], entries: list[Entry]) -> list[Entry]:
    """What a table's declaration says about order, by the sign of each number."""
    signs = [(-1 if field.startswith("-") else 1, field.removeprefix("-")) for field in table.clustering]
    return sorted(entries, key=lambda row: [sign * getattr(row, field) for sign, field in signs])


@pytest.mark.parametrize("table", ORDERED, ids=lambda table: table.name)
async def test_a_scan_is_ordered_and_goes_on_behind_any_key_or_prefix(rows: RowStore, table: Table[Entry]) -> None:
    owner_id, neighbour_id = fresh_id(), fresh_id()
    entries = [entry(owner_id, *place) for place in places((-1, 0, 1))]
    others = [entry(neighbour_id, *place) for place in places((0, 1))]
    await rows.apply([[put_at(at, table, row) for at, row in enumerate(entries + others)]])
    ordered = in_order(table, entries)
    assert await rows.scan(table, (owner_id,), limit=100) == ordered
    assert await rows.scan(table, (owner_id,), limit=4) == ordered[:4]
    for length in (1, 2, 3):
        for at, row in enumerate(ordered):
            after = table.key_of(row).values[1 : 1 + length]
            behind = [other for other in ordered[at:] if table.key_of(other).values[1 : 1 + length] != after]
            assert await rows.scan(table, (owner_id,), after=after, limit=100) == behind
            assert await rows.scan(table, (owner_id,), after=after, limit=2) == behind[:2]


@pytest.mark.parametrize("table", [ASCENDING, DESCENDING], ids=lambda table: table.name)
async def test_a_scan_may_end_at_any_key_or_prefix(rows: RowStore, table: Table[Entry]) -> None:
    owner_id = fresh_id()
    entries = [entry(owner_id, *place) for place in places((-1, 0, 1))]
    await rows.apply([[put_at(at, table, row) for at, row in enumerate(entries)]])
    ordered = in_order(table, entries)
    keys = [table.key_of(row).values[1:] for row in ordered]
    for length in (1, 2, 3):
        for at in range(0, len(ordered), 4):
            until = keys[at][:length]
            last = max(place for place, key in enumerate(keys) if key[:length] == until)
            assert await rows.scan(table, (owner_id,), until=until, limit=100) == ordered[: last + 1]
            assert await rows.scan(table, (owner_id,), after=keys[3], until=until, limit=100) == ordered[4 : last + 1]
            assert await rows.scan(table, (owner_id,), until=until, limit=2) == ordered[: min(2, last + 1)]


async def test_many_partitions_are_scanned_at_once_each_in_order_and_as_far_as_the_limit(rows: RowStore) -> None:
    owners = [fresh_id() for _ in range(40)]
    written = [
        entry(owner_id, shard, second)
        for place, owner_id in enumerate(owners)
        for shard in range(16)
        for second in (5, 3, 4)[: (place + shard) % 4]
    ]
    await rows.apply([[put_at(1, TWO_PARTS, row) for row in written]])
    partitions = [(owner_id, shard) for owner_id in owners for shard in range(16)]
    # Whoever asks for other shards of some owners is answered alike.
    asked = [*partitions[100:], *partitions[:3], (fresh_id(), 0), *partitions[20:25]]
    for limit in (1, 2, 100):
        found = await rows.scan_partitions(TWO_PARTS, asked, limit=limit)
        assert found == [await rows.scan(TWO_PARTS, partition, limit=limit) for partition in asked]
    assert sum(map(len, found)) > len(asked)
    assert await rows.scan_partitions(TWO_PARTS, [], limit=1) == []


async def test_partitions_of_one_part_are_scanned_at_once_too(rows: RowStore) -> None:
    owners = [fresh_id() for _ in range(300)]
    await rows.apply([[put_at(1, MIXED, entry(owner_id, number)) for owner_id in owners for number in (1, 2)]])
    found = await rows.scan_partitions(MIXED, [(owner_id,) for owner_id in owners], limit=10)
    assert found == [[entry(owner_id, 2), entry(owner_id, 1)] for owner_id in owners]


async def test_a_scan_goes_on_behind_a_row_that_is_gone(rows: RowStore) -> None:
    owner_id = fresh_id()
    await rows.apply([[put_at(number, MIXED, entry(owner_id, number)) for number in range(5)]])
    await rows.apply([[remove_at(9, MIXED.key(owner_id, 3, 0, 0))]])
    assert await rows.scan(MIXED, (owner_id,), limit=10) == [entry(owner_id, number) for number in (4, 2, 1, 0)]
    assert await rows.scan(MIXED, (owner_id,), after=(3, 0, 0), limit=2) == [entry(owner_id, 2), entry(owner_id, 1)]


async def test_texts_are_ordered_by_code_point(rows: RowStore) -> None:
    owner_id = fresh_id()
    names = ["a", "B", "é", "写", "👩", "", "z", "\uffff"]
    await rows.apply([[put_at(at, NAMED, Named(owner_id=owner_id, name=name)) for at, name in enumerate(names)]])
    assert [row.name for row in await rows.scan(NAMED, (owner_id,), limit=10)] == sorted(names)
    assert [row.name for row in await rows.scan(NAMED, (owner_id,), after=("é",), limit=10)] == ["写", "\uffff", "👩"]


async def test_a_partition_may_have_two_parts(rows: RowStore) -> None:
    owner_id = fresh_id()
    await rows.apply([[put_at(1, TWO_PARTS, entry(owner_id, shard, second)) for shard in (1, 2) for second in (5, 3)]])
    assert await rows.scan(TWO_PARTS, (owner_id, 2), limit=10) == [entry(owner_id, 2, 3), entry(owner_id, 2, 5)]


async def test_a_scan_says_where_in_the_log_each_row_came_from(rows: RowStore) -> None:
    owner_id = fresh_id()
    await rows.apply([[put_at(10 + number, MIXED, entry(owner_id, number)) for number in range(3)]])
    await rows.apply(
        [[put_at(20, MIXED, entry(owner_id, 1, value="newer")), remove_at(21, MIXED.key(owner_id, 0, 0, 0))]]
    )
    assert await rows.scan_kept(MIXED, (owner_id,), limit=10) == [
        Kept(entry(owner_id, 2), 12),
        Kept(entry(owner_id, 1, value="newer"), 20),
    ]
    assert await rows.scan_kept(MIXED, (owner_id,), limit=1) == [Kept(entry(owner_id, 2), 12)]


async def test_a_long_partition_is_read_whole(rows: RowStore) -> None:
    owner_id = fresh_id()
    await rows.apply([[put_at(number, MIXED, entry(owner_id, 0, number)) for number in range(7_500)]])
    found = await rows.scan(MIXED, (owner_id,), limit=8_000)
    assert [row.second for row in found] == list(range(7_500))
    behind = await rows.scan(MIXED, (owner_id,), after=(0, 999, 0), limit=6_000)
    assert [row.second for row in behind] == list(range(1_000, 7_000))


async def test_a_scan_that_has_no_answer_is_refused(rows: RowStore) -> None:
    with pytest.raises(ValueError, match="read by key"):
        await rows.scan(AGGREGATES, (1,), limit=1)
    with pytest.raises(ValueError, match="prefix"):
        await rows.scan(MIXED, (1,), after=(1, 2, 3, 4), limit=1)
    with pytest.raises(ValueError, match="prefix"):
        await rows.scan(MIXED, (1,), after=(), limit=1)
    with pytest.raises(ValueError, match="partition"):
        await rows.scan_kept(TWO_PARTS, (1,), limit=1)
    with pytest.raises(ValueError, match="partition"):
        await rows.scan_partitions(TWO_PARTS, [(1, 2), (1,)], limit=1)
    with pytest.raises(ValueError, match="two directions"):
        await rows.scan(MIXED, (1,), until=(1,), limit=1)


async def test_all_rows_of_a_table_are_those_that_are_there(rows: RowStore) -> None:
    owner_id, aggregate_ids = fresh_id(), [fresh_id() for _ in range(3)]
    entries = [entry(owner_id, first) for first in range(3)]
    await rows.apply([[put_at(1, ASCENDING, one) for one in entries]])
    await rows.apply([[remove_at(2, ASCENDING.key_of(entries[1]))]])
    found = [row async for row in rows.all_rows(ASCENDING) if row.owner_id == owner_id]
    assert sorted(found, key=lambda row: row.first) == [entries[0], entries[2]]
    await rows.apply(
        [[put_at(1, AGGREGATES, Aggregate(aggregate_id=one, value="v"), new_event_id()) for one in aggregate_ids]]
    )
    await rows.apply([[remove_at(2, AGGREGATES.key(aggregate_ids[1]), new_event_id())]])
    left = {row.aggregate_id async for row in rows.all_rows(AGGREGATES)} & set(aggregate_ids)
    assert left == {aggregate_ids[0], aggregate_ids[2]}


@pytest.mark.parametrize("table", [ASCENDING, DESCENDING, MIXED], ids=lambda table: table.name)
async def test_a_whole_table_comes_by_partitions_and_each_in_its_order(rows: RowStore, table: Table[Entry]) -> None:
    owners = [fresh_id() for _ in range(3)]
    puts = [
        put_at(7, table, entry(owner_id, first, second))
        for owner_id in owners
        for first, second in itertools.product((2, 1, 3), (5, 4))
    ]
    gone = table.key_of(entry(owners[0], 2, 5))
    await rows.apply([[*puts, remove_at(8, gone)]])
    found = [ranked async for page in rows.ranked_pages(table) for ranked in page]
    assert [rank for rank, *_ in found] == sorted(rank for rank, *_ in found)
    for owner_id in owners:
        own = [ranked for ranked in found if ranked_key(table, ranked)[0] == owner_id]
        listed = await rows.scan(table, (owner_id,), limit=100)
        assert [ranked_key(table, ranked) for ranked in own] == [table.key_of(row).values for row in listed]
        assert [pack_ranked(ranked) for ranked in own] == [pack_row(row) for row in listed]
        assert len({rank for rank, *_ in own}) == 1


async def test_a_row_is_packed_alike_whatever_it_holds(rows: RowStore) -> None:
    row = msgspec.structs.replace(PLAIN, number_id=fresh_id(), **NOTHING)
    await rows.apply([[put_at(1, EVERY_TYPE, row)]])
    found = [ranked async for page in rows.ranked_pages(EVERY_TYPE) for ranked in page]
    packed = {ranked_key(EVERY_TYPE, ranked): pack_ranked(ranked) for ranked in found}
    assert packed[EVERY_TYPE.key_of(row).values] == pack_row(row)


async def test_a_removed_aggregate_is_not_in_the_whole_table(rows: RowStore) -> None:
    one, other = fresh_id(), fresh_id()
    await rows.apply([[put_at(1, AGGREGATES, Aggregate(aggregate_id=number, value="v")) for number in (one, other)]])
    await rows.apply([[remove_at(2, AGGREGATES.key(one))]])
    found = {ranked_key(AGGREGATES, ranked) async for page in rows.ranked_pages(AGGREGATES) for ranked in page}
    assert (other,) in found
    assert (one,) not in found
