"""How far exports are: each change by whoever has seen the last one, and seen by whoever reads after it."""

import asyncio

import pytest

from analytics.positions import EXPORT_POSITIONS_DDL, CassandraExportPositions, ExportPositions
from analytics.stretches import NOTHING, Noted, Progress
from photolog.engines.cassandra_session import CassandraSession
from tests.contract.sample_tables import fresh_id
from tests.unit.analytics.world import MemoryPositions

BEGUN = {"post.liked": Progress(0, 10)}
DONE = {"post.liked": Progress(10), "post.unliked": Progress(2**40, 2**40 + 1)}


@pytest.fixture
async def cassandra_positions(cassandra_session: CassandraSession) -> ExportPositions:
    for statement in EXPORT_POSITIONS_DDL:
        await cassandra_session.execute(statement)
    return CassandraExportPositions(cassandra_session)


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.integration)])
def positions(request: pytest.FixtureRequest) -> ExportPositions:
    if request.param == "memory":
        return MemoryPositions()
    cassandra: ExportPositions = request.getfixturevalue("cassandra_positions")
    return cassandra


async def test_a_change_is_by_whoever_saw_the_last_one(positions: ExportPositions) -> None:
    topic = f"topic-{fresh_id()}"
    assert await positions.of(topic) == {}
    assert await positions.change(topic, 3, NOTHING, BEGUN)
    assert not await positions.change(topic, 3, NOTHING, DONE), "somebody was there before"
    assert await positions.of(topic) == {3: Noted(1, BEGUN)}
    assert await positions.change(topic, 3, Noted(1, BEGUN), DONE)
    assert not await positions.change(topic, 3, Noted(1, BEGUN), BEGUN)
    assert await positions.change(topic, 0, NOTHING, BEGUN)
    assert await positions.of(topic) == {0: Noted(1, BEGUN), 3: Noted(2, DONE)}


async def test_of_many_at_once_one_is_first(positions: ExportPositions) -> None:
    topic = f"topic-{fresh_id()}"
    for noted in (NOTHING, Noted(1, BEGUN)):
        applied = await asyncio.gather(*(positions.change(topic, 0, noted, BEGUN) for _ in range(8)))
        assert sorted(applied) == [False] * 7 + [True]
