"""Rows that end: there up to their millisecond, and gone from the store itself soon after."""

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import pytest

from photolog.engines.cassandra_session import CassandraSession
from photolog.ids import now_ms
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import CLOCK_AHEAD_MS_MAX, RowStore
from projections.tables import Row, RowKey
from projections.writes import ABSENT, Positioned, put, remove
from tests.contract.sample_tables import PASSING, PASSING_AGGREGATES, Passing, fresh_id

STORED_SECONDS_MAX = 20.0


@dataclass(slots=True)
class Clock:
    """A clock that stands, near to the real one, as the engine counts lives by its own."""

    ms: int

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock(now_ms())


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.integration)])
def rows(request: pytest.FixtureRequest, clock: Clock) -> RowStore:
    if request.param == "memory":
        return MemoryRows(clock)
    session: CassandraSession = request.getfixturevalue("cassandra_session")
    return CassandraRows(session, clock)


def passing(owner_id: int, number: int, expires_ms: int) -> Positioned:
    row = Passing(owner_id=owner_id, number=number, expires_ms=expires_ms)
    return Positioned(put(PASSING, row), number)


async def test_a_row_is_there_up_to_its_millisecond(rows: RowStore, clock: Clock) -> None:
    owner_id = fresh_id()
    await rows.apply([[passing(owner_id, 1, clock.ms + 60_000)]])
    key = PASSING.key(owner_id, 1)
    clock.ms += 59_999
    assert await rows.get(key) is not None
    assert (await rows.load([cast(RowKey[Row], key)]))[key].offset == 1
    clock.ms += 1
    assert await rows.get(key) is None
    assert await rows.load([cast(RowKey[Row], key)]) == {key: ABSENT}
    assert await rows.scan(PASSING, (owner_id,), limit=5) == []
    assert await rows.scan_partitions(PASSING, [(owner_id,)], limit=5) == [[]]
    kept = await rows.scan_kept(PASSING, (owner_id,), limit=5)
    assert [one.offset for one in kept] == [1], "what fills a cache is told by the engine, whatever the clock says"
    assert len(await rows.scan(PASSING, (owner_id,), limit=5, ended=True)) == 1
    assert [row async for row in rows.all_rows(PASSING) if row.owner_id == owner_id] == []
    ranked = [row async for page in rows.ranked_pages(PASSING) for row in page if row[1] == owner_id]
    assert ranked == []


async def test_what_has_ended_is_not_counted_by_a_limit(rows: RowStore, clock: Clock) -> None:
    owner_id = fresh_id()
    lives = {1: 90_000, 2: 90_000, 3: 30_000, 4: 30_000, 5: 90_000}
    await rows.apply([[passing(owner_id, number, clock.ms + life) for number, life in lives.items()]])
    clock.ms += 60_000
    found = await rows.scan(PASSING, (owner_id,), limit=2)
    assert [row.number for row in found] == [5, 2]
    assert [row.number for row in await rows.scan(PASSING, (owner_id,), after=(2,), limit=2)] == [1]


async def test_what_has_ended_is_not_written(rows: RowStore, clock: Clock) -> None:
    owner_id = fresh_id()
    await rows.apply([[passing(owner_id, 1, clock.ms - CLOCK_AHEAD_MS_MAX)]])
    clock.ms -= CLOCK_AHEAD_MS_MAX + 1_000
    assert await rows.get(PASSING.key(owner_id, 1)) is None


async def test_a_clock_that_was_ahead_loses_no_row(rows: RowStore, clock: Clock) -> None:
    owner_id, right_ms = fresh_id(), clock.ms
    clock.ms += CLOCK_AHEAD_MS_MAX
    await rows.apply([[passing(owner_id, 1, right_ms + 1)]])
    assert await rows.get(PASSING.key(owner_id, 1)) is None
    clock.ms = right_ms
    assert await rows.get(PASSING.key(owner_id, 1)) is not None


async def test_a_row_is_removed_before_its_end_and_written_longer(rows: RowStore, clock: Clock) -> None:
    owner_id = fresh_id()
    await rows.apply([[passing(owner_id, 1, clock.ms + 60_000), passing(owner_id, 2, clock.ms + 60_000)]])
    longer = Passing(owner_id=owner_id, number=2, expires_ms=clock.ms + 120_000)
    await rows.apply([[Positioned(remove(PASSING.key(owner_id, 1)), 5), Positioned(put(PASSING, longer), 6)]])
    assert await rows.scan(PASSING, (owner_id,), limit=5) == [longer]
    clock.ms += 119_999
    assert await rows.scan(PASSING, (owner_id,), limit=5) == [longer]


async def test_an_aggregate_and_what_it_remembers_end(rows: RowStore, clock: Clock) -> None:
    row = Passing(owner_id=fresh_id(), number=7, expires_ms=clock.ms + 60_000)
    await rows.apply([[Positioned(put(PASSING_AGGREGATES, row), 3)]])
    assert await rows.get(PASSING_AGGREGATES.key(row.owner_id)) == row
    clock.ms += 60_000
    key = cast(RowKey[Row], PASSING_AGGREGATES.key(row.owner_id))
    assert await rows.load([key]) == {key: ABSENT}


@pytest.mark.integration
async def test_the_engine_itself_forgets(cassandra_session: CassandraSession) -> None:
    owner_id = fresh_id()
    await CassandraRows(cassandra_session, ahead_ms=0).apply([[passing(owner_id, 1, now_ms() + 1_500)]])
    looking = CassandraRows(cassandra_session, lambda: 0)
    key = PASSING.key(owner_id, 1)
    assert await looking.get(key) is not None
    deadline = time.monotonic() + STORED_SECONDS_MAX
    while await looking.get(key) is not None:
        assert time.monotonic() < deadline, "it is stored for ever"
        await asyncio.sleep(0.2)
