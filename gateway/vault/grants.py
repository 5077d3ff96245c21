"""Grants of analysts in Cassandra: all in one partition, as they are few and are listed."""

import msgspec

from gateway.vault.port import GrantRow
from photolog.engines.cassandra_session import CassandraSession

GRANTS_DDL = """
CREATE TABLE IF NOT EXISTS grants (
    bucket int,
    grant_id text,
    revoked_ms bigint,
    form blob,
    PRIMARY KEY ((bucket), grant_id)
)"""
_BUCKET = 0
_CREATE = "INSERT INTO grants (bucket, grant_id, form) VALUES (?, ?, ?) IF NOT EXISTS"
_GET = "SELECT revoked_ms, form FROM grants WHERE bucket = ? AND grant_id = ?"
_LISTED = "SELECT revoked_ms, form FROM grants WHERE bucket = ?"
_REVOKE = "UPDATE grants SET revoked_ms = ? WHERE bucket = ? AND grant_id = ? IF form != null AND revoked_ms = null"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(GrantRow).decode


class CassandraGrants:
    """`gateway.vault.port.Grants` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def create(self, row: GrantRow) -> bool:
        values = (_BUCKET, row.grant_id, _encode(row))
        return bool((await self._session.execute(_CREATE, values, idempotent=False))[0].applied)

    async def get(self, grant_id: str) -> GrantRow | None:
        rows = await self._session.execute(_GET, (_BUCKET, grant_id))
        return _row(rows[0].form, rows[0].revoked_ms) if rows else None

    async def revoke(self, grant_id: str, at_ms: int) -> bool:
        values = (at_ms, _BUCKET, grant_id)
        if (await self._session.execute(_REVOKE, values, idempotent=False))[0].applied:
            return True
        return await self.get(grant_id) is not None

    async def listed(self) -> list[GrantRow]:
        return [_row(one.form, one.revoked_ms) for one in await self._session.execute(_LISTED, (_BUCKET,))]


def _row(form: bytes, revoked_ms: int | None) -> GrantRow:
    return msgspec.structs.replace(_decode(form), revoked_ms=revoked_ms)
