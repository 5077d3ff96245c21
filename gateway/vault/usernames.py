"""User names in Cassandra: one row each, written by lightweight transactions alone."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.vault.port import UsernameRow
from photolog.engines.cassandra_session import CassandraSession

USERNAMES_DDL = (
    """
CREATE TABLE IF NOT EXISTS usernames (
    username text PRIMARY KEY,
    account_id bigint,
    state text,
    event_id uuid,
    reserved_ms bigint,
    password_hash text
)""",
    # Names of erased accounts, as keyed hashes.
    """
CREATE TABLE IF NOT EXISTS resting_usernames (
    name_hash blob PRIMARY KEY,
    resting boolean
)""",
)
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
_RELEASE = "DELETE FROM usernames WHERE username = ? IF account_id = ?"
_REST = "INSERT INTO resting_usernames (name_hash, resting) VALUES (?, true) USING TTL ?"
_ALL = "SELECT username, account_id FROM usernames"
_RESTING = "SELECT resting FROM resting_usernames WHERE name_hash = ?"


class CassandraUsernames:
    """`gateway.vault.port.Usernames` in Cassandra.

    Args:
        session: the driver's session.
        rest_seconds: how long the name of an erased account may not be claimed.
    """

    def __init__(self, session: CassandraSession, rest_seconds: int) -> None:
        self._session = session
        self._rest_seconds = rest_seconds

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

    async def release(self, username: str, account_id: int) -> bool:
        answer = await self._session.execute(_RELEASE, (username, account_id), idempotent=False)
        return bool(answer[0].applied)

    async def rest(self, name_hash: bytes) -> None:
        await self._session.execute(_REST, (name_hash, self._rest_seconds))

    async def resting(self, name_hash: bytes) -> bool:
        return bool(await self._session.execute(_RESTING, (name_hash,)))

    async def of(self, account_id: int) -> AsyncIterator[str]:
        async for page in self._session.pages(_ALL):
            for row in page:
                if row.account_id == account_id:
                    yield row.username


def _row(found: Any) -> UsernameRow:
    return UsernameRow(
        username=found.username,
        account_id=found.account_id,
        state=found.state,
        event_id=found.event_id,
        reserved_ms=found.reserved_ms,
        password_hash=found.password_hash,
    )
