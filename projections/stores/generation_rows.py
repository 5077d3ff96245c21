"""A row store as one selection of generations sees it: the same keys and tables, under the names of that selection."""

from collections.abc import AsyncIterator, Mapping, Sequence

from projections.generations import Selection
from projections.stores.generation_positions import GenerationPositions, Selected
from projections.stores.port import RankedRow, RowStore, Source, StoredPosition
from projections.tables import KeyTuple, R, Row, RowKey, Table
from projections.writes import Kept, Positioned, Put, Remove, Write


class GenerationRows:
    """A `RowStore` over another, whose tables and positions are those of the generations that are selected.

    Args:
        rows: the store of all generations.
        selected: which ones, asked anew for every call; a request's answer does not change while it lasts.
    """

    def __init__(self, rows: RowStore, selected: Selected) -> None:
        self._rows = rows
        self._selected = selected
        self._positions = GenerationPositions(rows, selected)

    async def load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        """See `RowStore.load`."""
        selection = self._selected()
        if selection.is_first:
            return await self._rows.load(keys)
        physical = {_key(selection, key): key for key in keys}
        held = await self._rows.load(list(physical))
        return {physical[key]: kept for key, kept in held.items()}

    async def apply(self, stages: Sequence[Sequence[Positioned]]) -> None:
        """See `RowStore.apply`."""
        selection = self._selected()
        if not selection.is_first:
            stages = [[_write(selection, write) for write in stage] for stage in stages]
        await self._rows.apply(stages)

    async def get(self, key: RowKey[R]) -> R | None:
        """See `RowStore.get`."""
        return await self._rows.get(_key(self._selected(), key))

    async def get_many(self, keys: Sequence[RowKey[R]]) -> list[R | None]:
        """See `RowStore.get_many`."""
        selection = self._selected()
        return await self._rows.get_many(keys if selection.is_first else [_key(selection, key) for key in keys])

    async def scan(
        self,
        table: Table[R],
        partition: KeyTuple,
        *,
        after: KeyTuple | None = None,
        until: KeyTuple | None = None,
        limit: int,
        ended: bool = False,
    ) -> list[R]:
        """See `RowStore.scan`."""
        own = self._selected().table(table)
        return await self._rows.scan(own, partition, after=after, until=until, limit=limit, ended=ended)

    async def scan_partitions(self, table: Table[R], partitions: Sequence[KeyTuple], *, limit: int) -> list[list[R]]:
        """See `RowStore.scan_partitions`."""
        return await self._rows.scan_partitions(self._selected().table(table), partitions, limit=limit)

    async def scan_kept(self, table: Table[R], partition: KeyTuple, *, limit: int) -> list[Kept]:
        """See `RowStore.scan_kept`."""
        return await self._rows.scan_kept(self._selected().table(table), partition, limit=limit)

    def all_rows(self, table: Table[R]) -> AsyncIterator[R]:
        """See `RowStore.all_rows`."""
        return self._rows.all_rows(self._selected().table(table))

    def ranked_pages(self, table: Table[R]) -> AsyncIterator[Sequence[RankedRow]]:
        """See `RowStore.ranked_pages`."""
        return self._rows.ranked_pages(self._selected().table(table))

    async def position(self, source: Source) -> StoredPosition | None:
        """See `PositionStore.position`."""
        return await self._positions.position(source)

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """See `PositionStore.positions`."""
        return await self._positions.positions(projection)

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """See `PositionStore.advance`."""
        return await self._positions.advance(source, position, expected=expected)


def _key(selection: Selection, key: RowKey[R]) -> RowKey[R]:
    return key if selection.is_first else RowKey(selection.table(key.table), key.values)


def _write(selection: Selection, positioned: Positioned) -> Positioned:
    write: Write = positioned.write
    key = _key(selection, write.key)
    moved: Write = Put(key, write.row) if isinstance(write, Put) else Remove(key)
    return Positioned(moved, positioned.offset, positioned.event_ids)
