"""Positions in a dictionary: what both stores in memory keep them in."""

from collections.abc import Mapping

from projections.stores.port import Source, StoredPosition


class MemoryPositions:
    """A `PositionStore` in this process, to be derived from by a store that keeps something beside its positions."""

    def __init__(self) -> None:
        self._positions: dict[Source, StoredPosition] = {}

    async def position(self, source: Source) -> StoredPosition | None:
        """See `PositionStore.position`."""
        return self._positions.get(source)

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """See `PositionStore.positions`."""
        return {source: stored for source, stored in self._positions.items() if source.projection == projection}

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """See `PositionStore.advance`."""
        held = self._positions.get(source, StoredPosition(0)).next_offset
        if held < expected:
            return False
        if source not in self._positions or held < position.next_offset:
            self._positions[source] = position
        return True
