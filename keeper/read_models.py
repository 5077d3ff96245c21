"""What the keeper asks of read models: rows that are surely past something, and whether any of it was put aside."""

from collections.abc import Iterable
from typing import Protocol

from gateway.waiting import PositionWaiter
from photolog.errors import PositionTimeout, StoreUnavailable
from photolog.positions import Position
from projections.stores.pinning import PinnedPointers
from projections.stores.port import RowStore


class ReadModels(Protocol):
    """How far read models are."""

    async def past(self, model: str, positions: Iterable[Position]) -> None:
        """Return once a model is past these. What is read next is of the generation that was asked.

        Raises:
            StoreUnavailable: it was not for a while; to be asked again.
        """

    async def parked(self, model: str, key: bytes) -> bool:
        """Whether records of a key wait behind a dead one, so that the model's rows lack them. Raises as `past`."""


class StoredReadModels:
    """`ReadModels` as their stores tell.

    Args:
        rows: hold the models and their positions.
        waiter: waits for positions, one poll for all who wait.
        pinned: the generations of read models.
    """

    def __init__(self, rows: RowStore, waiter: PositionWaiter, pinned: PinnedPointers) -> None:
        self._rows = rows
        self._waiter = waiter
        self._pinned = pinned

    async def past(self, model: str, positions: Iterable[Position]) -> None:
        await self._pinned.pin_fresh()
        try:
            await self._waiter.wait((model,), positions)
        except PositionTimeout as error:
            raise StoreUnavailable(f"the read model {model} lags") from error

    async def parked(self, model: str, key: bytes) -> bool:
        positions = await self._rows.positions(model)
        return any(key in position.parked for position in positions.values())
