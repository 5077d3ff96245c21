"""The record of growths in Cassandra: each step once, and a cut is seen by whoever reads after it was answered."""

import pytest

from photolog.engines.cassandra_session import CassandraSession
from photolog.log.growth import Growth
from photolog.log.growths import GROWTHS_DDL, CassandraGrowths, GrowthRow
from tests.contract.sample_tables import fresh_id

pytestmark = pytest.mark.integration
PLANNED = GrowthRow(1, 4, 6, "planned")


@pytest.fixture
async def growths(cassandra_session: CassandraSession) -> CassandraGrowths:
    for statement in GROWTHS_DDL:
        await cassandra_session.execute(statement)
    return CassandraGrowths(cassandra_session)


async def test_a_topic_that_never_grew_has_no_history(growths: CassandraGrowths) -> None:
    assert await growths.of(f"topic-{fresh_id()}") == ()


async def test_a_growth_goes_through_its_steps_once_each(growths: CassandraGrowths) -> None:
    topic = f"topic-{fresh_id()}"
    assert await growths.begin(topic, PLANNED)
    assert not await growths.begin(topic, GrowthRow(1, 4, 9, "planned")), "another one has the epoch"
    assert await growths.rows(topic, serial=True) == [GrowthRow(1, 4, 6, "fenced")]
    assert await growths.of(topic) == (), "where it cuts is not known yet"
    assert not await growths.done(topic, 1)
    assert await growths.cut(topic, 1, [3, 0, 2**40 - 1, 7])
    assert not await growths.cut(topic, 1, [9, 9, 9, 9]), "a cut is final"
    assert not await growths.abandon(topic, 1)
    assert await growths.of(topic) == (Growth(4, 6, (3, 0, 2**40 - 1, 7)),)
    assert await growths.done(topic, 1)
    assert await growths.rows(topic) == [GrowthRow(1, 4, 6, "done", (3, 0, 2**40 - 1, 7))]


async def test_a_growth_may_be_forgotten_until_it_is_cut(growths: CassandraGrowths) -> None:
    topic = f"topic-{fresh_id()}"
    await growths.begin(topic, PLANNED)
    assert await growths.abandon(topic, 1)
    assert not await growths.cut(topic, 1, [0, 0, 0, 0])
    assert await growths.rows(topic, serial=True) == []
    assert await growths.begin(topic, PLANNED)


async def test_growths_are_told_in_their_order(growths: CassandraGrowths) -> None:
    topic = f"topic-{fresh_id()}"
    for epoch, before, after in ((1, 4, 6), (2, 6, 9)):
        await growths.begin(topic, GrowthRow(epoch, before, after, "planned"))
        await growths.cut(topic, epoch, range(before))
    assert [growth.after for growth in await growths.of(topic)] == [6, 9]
