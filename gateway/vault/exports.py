"""Exports in Cassandra: one row for each account that asked, until its archive expires."""

import msgspec

from gateway.vault.port import ExportRow
from photolog.engines.cassandra_session import CassandraSession

EXPORTS_DDL = (
    """
CREATE TABLE IF NOT EXISTS exports (
    account_id bigint PRIMARY KEY,
    version int,
    progress blob
)""",
    # An entry may be there without its row, never the other way round.
    """
CREATE TABLE IF NOT EXISTS open_exports (
    bucket int,
    account_id bigint,
    PRIMARY KEY ((bucket), account_id)
)""",
)
_BUCKET = 0
_LIST = "INSERT INTO open_exports (bucket, account_id) VALUES (?, ?)"
_UNLIST = "DELETE FROM open_exports WHERE bucket = ? AND account_id = ?"
_LISTED = "SELECT account_id FROM open_exports WHERE bucket = ?"
_BEGIN = "INSERT INTO exports (account_id, version, progress) VALUES (?, ?, ?) IF NOT EXISTS"
_GET = "SELECT progress FROM exports WHERE account_id = ?"
_MOVE = "UPDATE exports SET version = ?, progress = ? WHERE account_id = ? IF version = ?"
_REMOVE = "DELETE FROM exports WHERE account_id = ? IF EXISTS"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ExportRow).decode


class CassandraExports:
    """`gateway.vault.port.Exports` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def begin(self, row: ExportRow) -> ExportRow:
        await self._session.execute(_LIST, (_BUCKET, row.account_id))
        values = (row.account_id, row.version, _encode(row))
        answer = (await self._session.execute(_BEGIN, values, idempotent=False))[0]
        return row if answer.applied else _decode(answer.progress)

    async def get(self, account_id: int) -> ExportRow | None:
        rows = await self._session.execute(_GET, (account_id,))
        return _decode(rows[0].progress) if rows else None

    async def move(self, row: ExportRow) -> bool:
        values = (row.version, _encode(row), row.account_id, row.version - 1)
        return bool((await self._session.execute(_MOVE, values, idempotent=False))[0].applied)

    async def all(self) -> list[int]:
        return [row.account_id for row in await self._session.execute(_LISTED, (_BUCKET,))]

    async def remove(self, account_id: int) -> None:
        await self._session.execute(_REMOVE, (account_id,), idempotent=False)
        await self._session.execute(_UNLIST, (_BUCKET, account_id))
