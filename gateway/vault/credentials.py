"""Passwords in Cassandra, by account."""

from gateway.vault.port import CredentialRow
from photolog.engines.cassandra_session import CassandraSession

CREDENTIALS_DDL = """
CREATE TABLE IF NOT EXISTS credentials (
    account_id bigint PRIMARY KEY,
    username text,
    password_hash text,
    version int
)"""
_SELECT = "SELECT account_id, username, password_hash, version FROM credentials WHERE account_id = ?"
_CREATE = "INSERT INTO credentials (account_id, username, password_hash, version) VALUES (?, ?, ?, ?) IF NOT EXISTS"
_REPLACE = "UPDATE credentials SET password_hash = ?, version = ? WHERE account_id = ? IF version = ?"
_REMOVE = "DELETE FROM credentials WHERE account_id = ? IF EXISTS"


class CassandraCredentials:
    """`gateway.vault.port.Credentials` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def get(self, account_id: int) -> CredentialRow | None:
        rows = await self._session.execute(_SELECT, (account_id,))
        if not rows:
            return None
        found = rows[0]
        return CredentialRow(
            account_id=found.account_id,
            username=found.username,
            password_hash=found.password_hash,
            version=found.version,
        )

    async def create(self, row: CredentialRow) -> None:
        values = (row.account_id, row.username, row.password_hash, row.version)
        await self._session.execute(_CREATE, values, idempotent=False)

    async def replace(self, row: CredentialRow, from_version: int) -> bool:
        values = (row.password_hash, row.version, row.account_id, from_version)
        answer = await self._session.execute(_REPLACE, values, idempotent=False)
        return bool(answer[0].applied)

    async def remove(self, account_id: int) -> None:
        await self._session.execute(_REMOVE, (account_id,), idempotent=False)
