"""Sessions in Cassandra: the families of refresh tokens of each account."""

from typing import Any

from gateway.vault.port import SessionRow
from photolog.engines.cassandra_session import CassandraSession

SESSIONS_DDL = """
CREATE TABLE IF NOT EXISTS sessions (
    account_id bigint,
    session_id bigint,
    created_ms bigint,
    last_used_ms bigint,
    user_agent text,
    refresh_hash blob,
    previous_hash blob,
    rotation_key blob,
    PRIMARY KEY ((account_id), session_id)
) WITH CLUSTERING ORDER BY (session_id DESC)"""
_COLUMNS = "created_ms, last_used_ms, user_agent, refresh_hash, previous_hash, rotation_key"
_CREATE = (
    f"INSERT INTO sessions (account_id, session_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "IF NOT EXISTS USING TTL ?"
)
_GET = f"SELECT account_id, session_id, {_COLUMNS} FROM sessions WHERE account_id = ? AND session_id = ?"
_LISTED = f"SELECT account_id, session_id, {_COLUMNS} FROM sessions WHERE account_id = ?"
# Every column is written, so that all of them get the new expiry.
_ROTATE = (
    "UPDATE sessions USING TTL ? SET created_ms = ?, last_used_ms = ?, user_agent = ?, refresh_hash = ?, "
    "previous_hash = ?, rotation_key = ? WHERE account_id = ? AND session_id = ? IF refresh_hash = ?"
)
_REVOKE = "DELETE FROM sessions WHERE account_id = ? AND session_id = ? IF EXISTS"


class CassandraSessions:
    """`gateway.vault.port.Sessions` in Cassandra.

    Args:
        session: the driver's session.
        lifetime_seconds: how long a session lives after its last rotation.
    """

    def __init__(self, session: CassandraSession, lifetime_seconds: int) -> None:
        self._session = session
        self._lifetime_seconds = lifetime_seconds

    async def create(self, row: SessionRow) -> None:
        values = (row.account_id, row.session_id, *_columns(row), self._lifetime_seconds)
        await self._session.execute(_CREATE, values, idempotent=False)

    async def get(self, account_id: int, session_id: int) -> SessionRow | None:
        rows = await self._session.execute(_GET, (account_id, session_id))
        return _row(rows[0]) if rows and rows[0].refresh_hash is not None else None

    async def rotate(self, row: SessionRow, from_hash: bytes) -> bool:
        values = (self._lifetime_seconds, *_columns(row), row.account_id, row.session_id, from_hash)
        return bool((await self._session.execute(_ROTATE, values, idempotent=False))[0].applied)

    async def revoke(self, account_id: int, session_id: int) -> bool:
        answer = await self._session.execute(_REVOKE, (account_id, session_id), idempotent=False)
        return bool(answer[0].applied)

    async def listed(self, account_id: int) -> list[SessionRow]:
        rows = await self._session.execute(_LISTED, (account_id,))
        return [_row(row) for row in rows if row.refresh_hash is not None]


def _columns(row: SessionRow) -> tuple[Any, ...]:
    return (row.created_ms, row.last_used_ms, row.user_agent, row.refresh_hash, row.previous_hash, row.rotation_key)


def _row(found: Any) -> SessionRow:
    return SessionRow(
        account_id=found.account_id,
        session_id=found.session_id,
        created_ms=found.created_ms,
        last_used_ms=found.last_used_ms,
        user_agent=found.user_agent,
        refresh_hash=found.refresh_hash,
        previous_hash=found.previous_hash,
        rotation_key=found.rotation_key,
    )
