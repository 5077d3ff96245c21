"""The pointers that a piece of work holds on to: a request or a batch sees one set of generations throughout.

They are read again every second, so that a change is everywhere a moment after it was written. Work that began before
goes on with what it pinned.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar

import structlog

from photolog.errors import StoreUnavailable
from projections.generations import Pointers, Selection
from projections.stores.generation_pointers import MemoryPointers, PointerStore

FRESH_SECONDS = 1.0
logger = structlog.get_logger(__name__)


class PinnedPointers:
    """What one process knows of the generations.

    Args:
        store: where the pointers stand.
        clock: seconds that only go forward.
    """

    def __init__(self, store: PointerStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._current = Pointers()
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._pinned: ContextVar[Pointers | None] = ContextVar("pinned_pointers", default=None)

    @property
    def pointers(self) -> Pointers:
        """What this piece of work pinned; where it pinned nothing, what was read last."""
        return self._pinned.get() or self._current

    def selected(self) -> Selection:
        """The generations that this piece of work sees."""
        return self.pointers.selection

    async def pin_fresh(self) -> Pointers:
        """Pin pointers that are at most a second old, for whoever must not miss a change.

        Raises:
            StoreUnavailable: they could not be read.
        """
        if self._clock() - self._read_at > FRESH_SECONDS:
            await self._read()
        self._pinned.set(self._current)
        return self._current

    def pin_known(self) -> None:
        """Pin what is known, and look again behind the caller's back where that is a while ago."""
        self._pinned.set(self._current)
        if self._clock() - self._read_at > FRESH_SECONDS and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read_quietly())

    async def close(self) -> None:
        """Stop looking."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        began = self._clock()
        found = await self._store.read()
        if found.version < self._current.version:
            # A replica that lags; what was seen once stays.
            return
        if found.version > self._current.version:
            logger.info("generations", version=found.version, live=found.selection.numbers)
            self._current = found
        self._read_at = began

    async def _read_quietly(self) -> None:
        try:
            await self._read()
        except StoreUnavailable as error:
            # The rows are in the same store, and whoever reads them says so.
            logger.debug("generations-unknown", cause=str(error))
            self._read_at = self._clock()


def never_rebuilt() -> PinnedPointers:
    """For a process whose stores hold first generations only."""
    return PinnedPointers(MemoryPointers())
