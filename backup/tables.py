"""The tables that live outside the log, as a backup reads them and a restore writes them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from backup.outside import KeptTable
from backup.table_files import EXPIRES, Row
from photolog.engines.cassandra_session import CassandraSession

_COLUMNS = "SELECT column_name, type, kind FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?"
_WRITTEN_US = 1
"""The write timestamp of what is restored: it is older than whatever a lightweight transaction writes later."""


class Tables(Protocol):
    """Cassandra (`CassandraTables`), or lists in tests. Every call may raise StoreUnavailable."""

    async def columns(self, table: str) -> Mapping[str, str]:
        """The CQL type of each column; nothing for a table that is not there."""

    def rows(self, table: KeptTable) -> AsyncIterator[list[Row]]:
        """Every row, with its columns and when it expires; some at a time."""

    async def write(self, table: str, rows: Sequence[Row], now_ms: int) -> None:
        """Write rows; doing it again changes nothing, and what a process wrote since stays."""

    async def holds_any(self, table: str) -> bool:
        """Whether a table is there and has a row."""


class CassandraTables:
    """See `Tables`.

    Args:
        session: Cassandra's.
        keyspace: where the tables are.
        clock_ms: Unix milliseconds.
    """

    def __init__(self, session: CassandraSession, keyspace: str, clock_ms: Callable[[], int]) -> None:
        self._session = session
        self._keyspace = keyspace
        self._clock_ms = clock_ms

    async def columns(self, table: str) -> Mapping[str, str]:
        return {name: kind for name, kind, _ in await self._described(table)}

    async def rows(self, table: KeptTable) -> AsyncIterator[list[Row]]:
        described = await self._described(table.name)
        names = [name for name, _, _ in described]
        timed = [name for name, _, kind in described if kind == "regular"] if table.expires else []
        asked = ", ".join([*names, *(f"TTL({name})" for name in timed)])
        async for page in self._session.pages(f"SELECT {asked} FROM {table.name}"):
            now_ms = self._clock_ms()
            yield [_row(names, found, now_ms) for found in page]

    async def write(self, table: str, rows: Sequence[Row], now_ms: int) -> None:
        statements = [one for row in rows if (one := _statement(table, row, now_ms)) is not None]
        if statements:
            await self._session.write_all(statements)

    async def holds_any(self, table: str) -> bool:
        if not await self._described(table):
            return False
        return bool(await self._session.execute(f'SELECT * FROM "{table}" LIMIT 1'))

    async def _described(self, table: str) -> list[tuple[str, str, str]]:
        found = await self._session.execute(_COLUMNS, (self._keyspace, table))
        return [(one.column_name, one.type, one.kind) for one in found]


def _row(names: Sequence[str], found: Sequence[Any], now_ms: int) -> Row:
    """A row is gone with the first of its columns: a changed column may outlive the rest."""
    lives = [seconds for seconds in found[len(names) :] if seconds is not None]
    row = dict(zip(names, found, strict=False))
    return row | {EXPIRES: now_ms + min(lives) * 1_000 if lives else None}


def _statement(table: str, row: Row, now_ms: int) -> tuple[str, tuple[Any, ...]] | None:
    """What writes a row; None for one that has expired. A column without a value is left out: null is a deletion."""
    there = {name: value for name, value in row.items() if value is not None and name != EXPIRES}
    using, values = f"TIMESTAMP {_WRITTEN_US}", tuple(there.values())
    if row.get(EXPIRES) is not None:
        seconds = (row[EXPIRES] - now_ms) // 1_000
        if seconds <= 0:
            return None
        using, values = f"{using} AND TTL ?", (*values, seconds)
    places = ", ".join("?" * len(there))
    return f"INSERT INTO {table} ({', '.join(there)}) VALUES ({places}) USING {using}", values
