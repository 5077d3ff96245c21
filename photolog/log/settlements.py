"""The durable record of what was decided about dead letters, in Cassandra.

It holds the letters that were given up, and those that were retried where no read model's position could tell so.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

from photolog.engines.cassandra_session import CassandraSession
from photolog.log.letters import Letter
from photolog.log.retries import Place

SETTLEMENTS_DDL = (
    """CREATE TABLE IF NOT EXISTS letter_settlements (
    projection text,
    topic text,
    source int,
    place bigint,
    settlement text,
    at_ms bigint,
    PRIMARY KEY ((projection, topic), source, place)
)""",
)
Settlement = Literal["dropped", "retried"]
_SELECT = "SELECT source, place, settlement FROM letter_settlements WHERE projection = ? AND topic = ?"
_INSERT = (
    "INSERT INTO letter_settlements (projection, topic, source, place, settlement, at_ms) VALUES (?, ?, ?, ?, ?, ?)"
)


class Settlements(Protocol):
    """What was decided about letters: `CassandraSettlements`, or a dictionary in tests."""

    async def of(self, projection: str, topic: str) -> Mapping[Place, Settlement]:
        """All decisions about a projection's letters of a topic, by the places of the records."""

    async def settle(self, letter: Letter, settlement: Settlement, at_ms: int) -> None:
        """Note a decision; the last one counts."""


class CassandraSettlements:
    """`Settlements` in one table."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def of(self, projection: str, topic: str) -> Mapping[Place, Settlement]:
        """See `Settlements.of`."""
        found = await self._session.execute(_SELECT, (projection, topic))
        return {(row.source, row.place): row.settlement for row in found}

    async def settle(self, letter: Letter, settlement: Settlement, at_ms: int) -> None:
        """See `Settlements.settle`."""
        place = (letter.projection, letter.record.topic, *letter.origin)
        await self._session.execute(_INSERT, (*place, settlement, at_ms))
