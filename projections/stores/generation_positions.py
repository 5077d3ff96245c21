"""Positions as one selection of generations sees them, for stores that hold nothing else of a generation."""

from collections.abc import Callable, Mapping

from projections.generations import FIRST_GENERATIONS, Selection
from projections.stores.port import PositionStore, Source, StoredPosition

Selected = Callable[[], Selection]
"""Which generations are meant, asked anew for every call."""


def first_generations() -> Selection:
    """Those of a log that was never folded again."""
    return FIRST_GENERATIONS


class GenerationPositions:
    """A `PositionStore` over another.

    Args:
        positions: the positions of all generations.
        selected: which generations are meant.
    """

    def __init__(self, positions: PositionStore, selected: Selected) -> None:
        self._positions = positions
        self._selected = selected

    async def position(self, source: Source) -> StoredPosition | None:
        """See `PositionStore.position`."""
        return await self._positions.position(self._physical(source))

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """See `PositionStore.positions`."""
        stored = await self._positions.positions(self._selected().projection(projection))
        return {Source(projection, at.topic, at.partition): position for at, position in stored.items()}

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """See `PositionStore.advance`."""
        return await self._positions.advance(self._physical(source), position, expected=expected)

    def _physical(self, source: Source) -> Source:
        return Source(self._selected().projection(source.projection), source.topic, source.partition)
