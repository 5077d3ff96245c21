"""What every record of decisions about dead letters must do."""

import pytest

from photolog.engines.cassandra_session import CassandraSession
from photolog.log.letters import Letter
from photolog.log.record import StoredRecord
from photolog.log.settlements import CassandraSettlements, Settlements
from tests.contract.sample_tables import fresh_id
from tests.unit.streams.poison_world import MemorySettlements


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.integration)])
def settlements(request: pytest.FixtureRequest) -> Settlements:
    if request.param == "memory":
        return MemorySettlements()
    session: CassandraSession = request.getfixturevalue("cassandra_session")
    return CassandraSettlements(session)


def letter(projection: str, topic: str, partition: int, offset: int) -> Letter:
    record = StoredRecord(topic, partition, offset, None, b"", (), 0)
    return Letter(record, projection, "broken", False, (partition, offset))


async def test_decisions_come_back_by_the_places_of_the_records_and_the_last_counts(settlements: Settlements) -> None:
    name = f"projection-{fresh_id()}"
    assert await settlements.of(name, "likes") == {}
    await settlements.settle(letter(name, "likes", 3, 2**39), "retried", 1)
    await settlements.settle(letter(name, "likes", 0, 7), "retried", 2)
    await settlements.settle(letter(name, "likes", 0, 7), "dropped", 3)
    await settlements.settle(letter(name, "posts", 1, 1), "dropped", 4)
    assert await settlements.of(name, "likes") == {(3, 2**39): "retried", (0, 7): "dropped"}
