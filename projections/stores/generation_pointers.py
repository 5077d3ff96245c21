"""Where the pointers to generations stand: one row in Cassandra, changed by lightweight transaction alone.

It lives outside the log and is backed up with it. Without the row every projection is at its first generation.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from photolog.errors import Conflict
from projections.generations import Pointers

GENERATIONS_DDL = (
    """CREATE TABLE IF NOT EXISTS generations (
    name text PRIMARY KEY,
    version int,
    pointers blob
)""",
)
_NAME = "pointers"
_GET = "SELECT pointers FROM generations WHERE name = ?"
_BEGIN = "INSERT INTO generations (name, version, pointers) VALUES (?, ?, ?) IF NOT EXISTS"
_MOVE = "UPDATE generations SET version = ?, pointers = ? WHERE name = ? IF version = ?"
_TRIES = 20
_decode = msgspec.json.Decoder(Pointers).decode


class PointerStore(Protocol):
    """Keeps the pointers: `CassandraPointers`, or a variable in tests."""

    async def read(self, *, serial: bool = False) -> Pointers:
        """The pointers; `serial` sees every change that was answered for, and one that is under way."""

    async def move(self, before: Pointers, after: Pointers) -> bool:
        """Change them where they still are as `before`; False where somebody else was quicker."""


class Session(Protocol):
    """The part of a `CassandraSession` that is needed."""

    async def execute(
        self, cql: str, parameters: Any = (), *, serial: bool = False, idempotent: bool = True
    ) -> list[Any]:
        """Run one statement."""


class CassandraPointers:
    """A `PointerStore` in Cassandra."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, *, serial: bool = False) -> Pointers:
        """See `PointerStore.read`."""
        rows = await self._session.execute(_GET, (_NAME,), serial=serial)
        return _decode(rows[0].pointers) if rows else Pointers()

    async def move(self, before: Pointers, after: Pointers) -> bool:
        """See `PointerStore.move`."""
        stored = msgspec.json.encode(after)
        if before.version == 0:
            answer = await self._session.execute(_BEGIN, (_NAME, after.version, stored), idempotent=False)
        else:
            values = (after.version, stored, _NAME, before.version)
            answer = await self._session.execute(_MOVE, values, idempotent=False)
        return bool(answer[0].applied)


class MemoryPointers:
    """A `PointerStore` in this process."""

    def __init__(self) -> None:
        self._pointers = Pointers()

    async def read(self, *, serial: bool = False) -> Pointers:
        """See `PointerStore.read`."""
        return self._pointers

    async def move(self, before: Pointers, after: Pointers) -> bool:
        """See `PointerStore.move`."""
        if self._pointers.version != before.version:
            return False
        self._pointers = after
        return True


async def change_pointers(store: PointerStore, change: Callable[[Pointers], Pointers]) -> Pointers:
    """Change the pointers, however many do so at once; the pointers afterwards.

    Args:
        store: where they stand.
        change: gives the next pointers, or the same ones where there is nothing to change. It may be asked again.

    Raises:
        Conflict: from `change`; or others change them all the time.
        StoreUnavailable: whether they changed is not known; look again.
    """
    for _ in range(_TRIES):
        before = await store.read(serial=True)
        after = change(before)
        if after == before or await store.move(before, after):
            return after
    raise Conflict("pointers-contended", "others change the generations all the time; try again")
