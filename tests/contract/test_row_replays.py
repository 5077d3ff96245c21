"""Whatever the order, however often, wherever it crashes: the same rows."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.fold import Recorded, fold_batch, needed
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import RowStore, Source, StoredPosition
from projections.tables import Row, RowKey
from projections.writes import Positioned, put, remove
from tests.contract.sample_tables import AGGREGATES, MIXED, Aggregate, Entry, fresh_id
from tests.unit.projections.membership import (
    COUNTS,
    LISTED,
    MEMBERS,
    MEMBERSHIP,
    Count,
    Listed,
    event_id_at,
    like,
    likers,
    recorded,
    unlike,
)

# Each example works in partitions of its own, so that the store may be shared by all.
few = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])

chosen_writes = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 2)), min_size=1, max_size=12)


def as_write(owner_id: int, offset: int, choice: tuple[bool, bool, int]) -> Positioned:
    """A put or removal of one of three list rows or three aggregates."""
    puts, aggregate, number = choice
    if aggregate:
        key: RowKey[Any] = AGGREGATES.key(owner_id + number)
        row: Row = Aggregate(aggregate_id=owner_id + number, value=str(offset), note=None if offset % 3 else "note")
        event_ids = tuple(event_id_at(at) for at in range(offset + 1))
    else:
        key = MIXED.key(owner_id, number, 0, 0)
        row = Entry(owner_id=owner_id, first=number, second=0, third=0, value=str(offset))
        event_ids = ()
    return Positioned(put(key.table, row) if puts else remove(key), offset, event_ids)


async def state_of(rows: RowStore, writes: Sequence[Positioned], owner_id: int) -> tuple[Any, ...]:
    keys = [write.write.key for write in writes]
    return await rows.load(keys), await rows.get_many(keys), await rows.scan_kept(MIXED, (owner_id,), limit=10)


async def in_order(writes: Sequence[Positioned], owner_id: int) -> tuple[Any, ...]:
    """What the log says: each write once, in order, in memory."""
    rows = MemoryRows()
    for write in writes:
        await rows.apply([[write]])
    return await state_of(rows, writes, owner_id)


async def deliver_in_any_order(rows: RowStore, choices: list[tuple[bool, bool, int]], data: st.DataObject) -> None:
    owner_id = fresh_id(3)
    writes = [as_write(owner_id, offset, choice) for offset, choice in enumerate(choices)]
    deliveries = data.draw(st.permutations(writes + data.draw(st.lists(st.sampled_from(writes), max_size=6))))
    at = 0
    while at < len(deliveries):
        size = data.draw(st.integers(1, len(deliveries)))
        await rows.apply([deliveries[at : at + size], deliveries[at + size : at + 2 * size]])
        at += 2 * size
    assert await state_of(rows, writes, owner_id) == await in_order(writes, owner_id)


@given(chosen_writes, st.data())
async def test_memory_ends_as_the_log_says_whatever_the_order_of_delivery(
    choices: list[tuple[bool, bool, int]], data: st.DataObject
) -> None:
    await deliver_in_any_order(MemoryRows(), choices, data)


@pytest.mark.integration
@few
@given(chosen_writes, st.data())
async def test_cassandra_ends_as_the_log_says_whatever_the_order_of_delivery(
    cassandra_rows: CassandraRows, choices: list[tuple[bool, bool, int]], data: st.DataObject
) -> None:
    await deliver_in_any_order(cassandra_rows, choices, data)


chosen_actions = st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.booleans()), min_size=1, max_size=16)


def log_of(post_id: int, choices: list[tuple[bool, int, bool]]) -> list[Recorded]:
    """Likes and unlikes by three people, some of them appended twice."""
    log: list[Recorded] = []
    for likes, actor_id, again in choices:
        log.append(recorded(like(actor_id, post_id) if likes else unlike(actor_id, post_id), len(log)))
        if again:
            earlier = log[len(log) // 2]
            log.append(recorded(earlier.event, len(log), event_id=earlier.event_id))
    return log


async def work_until_killed(
    rows: RowStore, source: Source, log: list[Recorded], data: st.DataObject, writes_done: int | None
) -> None:
    """Start a worker where the store says, and kill it after so many writes of its first batch."""
    position = await rows.position(source)
    start = position.next_offset if position else 0
    batch = log[start : start + data.draw(st.integers(1, 8), label="batch")]
    state = await rows.load([key for record in batch for key in needed(MEMBERSHIP, record)])
    outcome = fold_batch(MEMBERSHIP, state, batch)
    stages = [data.draw(st.permutations(list(some.values()))) for some in (outcome.others, outcome.aggregates)]
    writes = [write for stage in stages for write in stage]
    if writes_done is not None and writes_done < len(writes):
        await rows.apply([[write] for write in writes[:writes_done]])
        return
    await rows.apply(stages)
    await rows.advance(source, StoredPosition(start + len(batch)))


async def crash_and_restart(rows: RowStore, choices: list[tuple[bool, int, bool]], data: st.DataObject) -> None:
    post_id = fresh_id()
    source = Source(f"membership-{post_id}", "likes", 3)
    log = log_of(post_id, choices)
    for writes_done in data.draw(st.lists(st.none() | st.integers(0, 10), max_size=5), label="killed after"):
        await work_until_killed(rows, source, log, data, writes_done)
    while (await rows.position(source) or StoredPosition(0)).next_offset < len(log):
        await work_until_killed(rows, source, log, data, None)
    members = likers(log)
    count = (await rows.get(COUNTS.key(post_id, 3))) or Count(post_id=post_id, source=3, count=0)
    listed: list[Listed] = await rows.scan(LISTED, (post_id,), limit=10)
    held = await rows.get_many([MEMBERS.key(actor_id, post_id) for actor_id in (1, 2, 3)])
    assert {row.actor_id for row in listed} == {row.actor_id for row in held if row} == members
    assert count.count == len(listed) == len(members)


@given(chosen_actions, st.data())
async def test_memory_ends_as_the_log_says_wherever_workers_are_killed(
    choices: list[tuple[bool, int, bool]], data: st.DataObject
) -> None:
    await crash_and_restart(MemoryRows(), choices, data)


@pytest.mark.integration
@few
@given(chosen_actions, st.data())
async def test_cassandra_ends_as_the_log_says_wherever_workers_are_killed(
    cassandra_rows: CassandraRows, choices: list[tuple[bool, int, bool]], data: st.DataObject
) -> None:
    await crash_and_restart(cassandra_rows, choices, data)
