"""Positions of projections whose rows and caches live in different stores: no further than either of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from projections.stores.port import PositionStore, Source, StoredPosition


class WitnessedPositions:
    """A `PositionStore` whose positions stand beside the rows, each with a witness beside the caches.

    Caches that come back from an older snapshot are behind their rows, and say that they are not. Their witness comes
    back with them: from there the log is folded again, which changes no row, and writes the caches through once more.

    Every partition has a witness as soon as it is asked for, also before its first record. So where there is none the
    caches were lost, and nothing in them can be old: it is set to where the rows are, because caches fill on reading.

    Args:
        rows: the store of the rows, which decides for all others.
        caches: the store of what is written behind them.
    """

    def __init__(self, rows: PositionStore, caches: PositionStore) -> None:
        self._rows = rows
        self._caches = caches

    async def position(self, source: Source) -> StoredPosition | None:
        """The lesser of the two."""
        stored, witness = await asyncio.gather(self._rows.position(source), self._caches.position(source))
        if witness is None:
            await self._caches.advance(source, StoredPosition(stored.next_offset if stored else 0))
        if stored is None or witness is None:
            return stored
        return replace(stored, next_offset=min(stored.next_offset, witness.next_offset))

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """Those of the rows."""
        return await self._rows.positions(projection)

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """Move the witness, then the position, each only where its store holds at least `expected`."""
        witness = StoredPosition(position.next_offset)
        if not await self._caches.advance(source, witness, expected=expected):
            return False
        return await self._rows.advance(source, position, expected=expected)
