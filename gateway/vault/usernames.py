"""User names in Cassandra: one row each, written by lightweight transactions alone."""

from typing import Any

from gateway.vault.port import UsernameRow
from photolog.engines.cassandra_session import CassandraSession

USERNAMES_DDL = """
CREATE TABLE IF NOT EXISTS usernames (
    username text PRIMARY KEY,
    account_id bigint,
    state text,
    event_id uuid,
    reserved_ms bigint,
    password_hash text
)"""
_SELECT = "SELECT username, account_id, state, event_id, reserved_ms, password_hash FROM usernames WHERE username = ?"
_RESERVE = (
    "INSERT INTO usernames (username, account_id, state, event_id, reserved_ms, password_hash) "
    "VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS"
)
_TAKE_OVER = (
    "UPDATE usernames SET account_id = ?, event_id = ?, reserved_ms = ?, password_hash = ? "
    "WHERE username = ? IF account_id = ? AND state = 'reserved'"
)
_TAKE = "UPDATE usernames SET state = 'taken', password_hash = null WHERE username = ? IF account_id = ?"


class CassandraUsernames:
    """`gateway.vault.port.Usernames` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def get(self, username: str) -> UsernameRow | None:
        rows = await self._session.execute(_SELECT, (username,))
        return _row(rows[0]) if rows else None

    async def reserve(self, row: UsernameRow) -> UsernameRow:
        values = (row.username, row.account_id, row.state, row.event_id, row.reserved_ms, row.password_hash)
        answer = (await self._session.execute(_RESERVE, values, idempotent=False))[0]
        return row if answer.applied else _row(answer)

    async def take_over(self, row: UsernameRow, from_account_id: int) -> bool:
        values = (row.account_id, row.event_id, row.reserved_ms, row.password_hash, row.username, from_account_id)
        return bool((await self._session.execute(_TAKE_OVER, values, idempotent=False))[0].applied)

    async def take(self, username: str, account_id: int) -> bool:
        answer = await self._session.execute(_TAKE, (username, account_id), idempotent=False)
        return bool(answer[0].applied)


def _row(found: Any) -> UsernameRow:
    return UsernameRow(
        username=found.username,
        account_id=found.account_id,
        state=found.state,
        event_id=found.event_id,
        reserved_ms=found.reserved_ms,
        password_hash=found.password_hash,
    )
