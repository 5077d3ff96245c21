"""How far exports are, in Cassandra: one row for each partition, changed by lightweight transactions alone.

It stands here and not in the bucket, where not every S3 server makes an object only if there is none: some look first
and write then, so that two exporters may both believe that they were first.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from analytics.stretches import Noted, Progress
from photolog.engines.cassandra_session import CassandraSession

EXPORT_POSITIONS_DDL = (
    """CREATE TABLE IF NOT EXISTS export_positions (
    topic text,
    partition int,
    version bigint,
    form blob,
    PRIMARY KEY ((topic), partition)
)""",
)
_OF = "SELECT partition, version, form FROM export_positions WHERE topic = ?"
_FIRST = "INSERT INTO export_positions (topic, partition, version, form) VALUES (?, ?, ?, ?) IF NOT EXISTS"
_NEXT = "UPDATE export_positions SET version = ?, form = ? WHERE topic = ? AND partition = ? IF version = ?"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Progress]).decode


class ExportPositions(Protocol):
    """Keeps how far exports are: Cassandra, or a dictionary in tests."""

    async def of(self, topic: str) -> Mapping[int, Noted]:
        """What is written down of each partition of a topic. Raises StoreUnavailable."""

    async def change(self, topic: str, partition: int, noted: Noted, types: Mapping[str, Progress]) -> bool:
        """Write down the progress of all types of a partition.

        Args:
            topic: the topic's name.
            partition: the partition.
            noted: what was written down when it was read.
            types: what is to be.

        Returns:
            False, with nothing changed, where somebody else has changed it since.

        Raises:
            StoreUnavailable: it is not known whether it was written.
        """


class CassandraExportPositions:
    """`ExportPositions` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def of(self, topic: str) -> Mapping[int, Noted]:
        rows = await self._session.execute(_OF, (topic,), serial=True)
        return {row.partition: Noted(row.version, _decode(row.form)) for row in rows}

    async def change(self, topic: str, partition: int, noted: Noted, types: Mapping[str, Progress]) -> bool:
        form, version = _encode(types), noted.version + 1
        if noted.version == 0:
            answer = await self._session.execute(_FIRST, (topic, partition, version, form), idempotent=False)
        else:
            values = (version, form, topic, partition, noted.version)
            answer = await self._session.execute(_NEXT, values, idempotent=False)
        return bool(answer[0].applied)
