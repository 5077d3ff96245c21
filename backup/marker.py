"""That a system is being restored, and how far that is: one row in the system itself, by lightweight transactions.

It tells a restore that goes on from one that would write into somebody's data.
"""

from typing import Literal, Protocol

import msgspec

from photolog.engines.cassandra_session import CassandraSession
from photolog.errors import Conflict

RESTORES_DDL = (
    """CREATE TABLE IF NOT EXISTS restores (
    name text PRIMARY KEY,
    backup text,
    state text,
    files int
)""",
)
_NAME = "restore"
State = Literal["begun", "done"]


class Marker(msgspec.Struct, frozen=True):
    """A restore.

    Args:
        backup: what tells it from other restores: the backup, who is erased, which topics are left empty.
        state: whether it is done.
        files: how many files of tables are.
    """

    backup: str
    state: State = "begun"
    files: int = 0


class Markers(Protocol):
    """Keeps the marker (`CassandraMarkers`), or a variable in tests. Every call may raise StoreUnavailable."""

    async def read(self) -> Marker | None:
        """The marker, None where nothing was ever restored."""

    async def begin(self, marker: Marker) -> None:
        """Set the first one. Raises Conflict where somebody else was quicker."""

    async def move(self, before: Marker, after: Marker) -> None:
        """Set the next one. Raises Conflict where somebody else did."""


class CassandraMarkers:
    """See `Markers`."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def read(self) -> Marker | None:
        query = "SELECT backup, state, files FROM restores WHERE name = ?"
        rows = await self._session.execute(query, (_NAME,), serial=True)
        return Marker(*rows[0]) if rows else None

    async def begin(self, marker: Marker) -> None:
        await self._set(
            "INSERT INTO restores (name, backup, state, files) VALUES (?, ?, ?, ?) IF NOT EXISTS",
            (_NAME, marker.backup, marker.state, marker.files),
        )

    async def move(self, before: Marker, after: Marker) -> None:
        await self._set(
            "UPDATE restores SET state = ?, files = ? WHERE name = ? IF state = ? AND files = ?",
            (after.state, after.files, _NAME, before.state, before.files),
        )

    async def _set(self, cql: str, values: tuple[str | int, ...]) -> None:
        if not (await self._session.execute(cql, values, idempotent=False))[0].applied:
            raise Conflict("two-restores", "somebody else restores into this system, too: look, and run one of them")
