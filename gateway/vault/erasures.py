"""Erasures in Cassandra. The marker is written by lightweight transaction and never removed."""

import msgspec

from gateway.vault.port import ErasureRow
from photolog.engines.cassandra_session import CassandraSession

ERASURES_DDL = (
    """
CREATE TABLE IF NOT EXISTS erasures (
    account_id bigint PRIMARY KEY,
    version int,
    progress blob
)""",
    # What is left to do. An entry may be there before its marker, never the other way round.
    """
CREATE TABLE IF NOT EXISTS open_erasures (
    bucket int,
    account_id bigint,
    PRIMARY KEY ((bucket), account_id)
)""",
)
OPEN_BUCKET = 0  # erasures are few, and an entry goes when its erasure is finished
_LIST = "INSERT INTO open_erasures (bucket, account_id) VALUES (?, ?)"
_UNLIST = "DELETE FROM open_erasures WHERE bucket = ? AND account_id = ?"
_LISTED = "SELECT account_id FROM open_erasures WHERE bucket = ?"
_BEGIN = "INSERT INTO erasures (account_id, version, progress) VALUES (?, ?, ?) IF NOT EXISTS"
_GET = "SELECT progress FROM erasures WHERE account_id = ?"
_MOVE = "UPDATE erasures SET version = ?, progress = ? WHERE account_id = ? IF version = ?"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ErasureRow).decode


class CassandraErasures:
    """`gateway.vault.port.Erasures` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def begin(self, row: ErasureRow) -> ErasureRow:
        await self._session.execute(_LIST, (OPEN_BUCKET, row.account_id))
        values = (row.account_id, row.version, _encode(row))
        answer = (await self._session.execute(_BEGIN, values, idempotent=False))[0]
        return row if answer.applied else _decode(answer.progress)

    async def get(self, account_id: int) -> ErasureRow | None:
        rows = await self._session.execute(_GET, (account_id,))
        return _decode(rows[0].progress) if rows else None

    async def move(self, row: ErasureRow) -> bool:
        values = (row.version, _encode(row), row.account_id, row.version - 1)
        return bool((await self._session.execute(_MOVE, values, idempotent=False))[0].applied)

    async def unfinished(self) -> list[int]:
        return [row.account_id for row in await self._session.execute(_LISTED, (OPEN_BUCKET,))]

    async def close(self, account_id: int) -> None:
        await self._session.execute(_UNLIST, (OPEN_BUCKET, account_id))
