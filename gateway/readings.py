"""Reads that outlive the request that began them: what a page could not wait for is there for the one after it.

One person's requests share a reading, a process goes on with a bounded number of them, and the time that a request
may wait ends its waiting only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

import structlog

from photolog.errors import StoreUnavailable
from projections.feed import Stretch
from projections.stores.port import TimelineEntry

READINGS_MAX = 64
KEPT_SECONDS = 10.0
Found = list[TimelineEntry]
Work = Callable[[Found], Awaitable[Stretch]]
"""Reads a stretch, and puts what it finds into the list as it finds it."""
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """What a request has of a reading.

    Args:
        stretch: what was read; None where time was over first.
        found: what was found by then, in any order.
        joined: whether another request began it, so that it may be older than this one.
    """

    stretch: Stretch | None
    found: Sequence[TimelineEntry]
    joined: bool


@dataclass(slots=True, eq=False)
class _Reading:
    keep: bool
    task: "asyncio.Task[Stretch]"
    found: Found
    waiting: int = 0
    ended_at: float = field(default=float("inf"))


class Readings:
    """The readings of one gateway process.

    Args:
        readings_max: how many are under way or kept. One more is ended where its request stops waiting.
        kept_seconds: how long a result waits for the request that comes back for it.
    """

    def __init__(self, readings_max: int = READINGS_MAX, kept_seconds: float = KEPT_SECONDS) -> None:
        self._readings_max = readings_max
        self._kept_seconds = kept_seconds
        self._readings: dict[Hashable, _Reading] = {}

    async def read(self, key: Hashable, until: float, work: Work, *, keep: bool = False) -> Read:
        """Begin a reading, or join the one under the same key, and wait for it.

        Args:
            key: what is read, and for whom.
            until: the event loop's time at which to stop waiting; it goes on.
            work: what reads.
            keep: whether a result that nobody waits for any more is kept for the next who asks, once. For readings
                that leave their result nowhere else.

        Raises:
            StoreUnavailable: the rows did not answer.
        """
        loop = asyncio.get_running_loop()
        reading = self._readings.get(key)
        joined = reading is not None and loop.time() - reading.ended_at < self._kept_seconds
        if reading is None or not joined:
            reading = self._begin(key, work, keep)
        reading.waiting += 1
        try:
            await asyncio.wait([reading.task], timeout=max(0.0, until - loop.time()))
        finally:
            reading.waiting -= 1
            if self._readings.get(key) is not reading:
                reading.task.cancel()  # for a task that is done this does nothing
        if not reading.task.done() or reading.task.cancelled():
            return Read(None, tuple(reading.found), joined)
        self._forget(key, reading)
        return Read(reading.task.result(), reading.found, joined)

    async def close(self) -> None:
        """End all readings."""
        tasks = [reading.task for reading in self._readings.values()]
        self._readings.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: Hashable, work: Work, keep: bool) -> _Reading:
        found: Found = []
        reading = _Reading(keep, asyncio.create_task(_run(work, found)), found)
        self._readings.pop(key, None)
        if len(self._readings) >= self._readings_max:
            self._make_room()
        if len(self._readings) < self._readings_max:
            self._readings[key] = reading
        reading.task.add_done_callback(lambda task: self._ended(key, reading))
        return reading

    def _make_room(self) -> None:
        """Forget the oldest result that nobody came back for."""
        oldest = min(self._readings, key=lambda key: self._readings[key].ended_at)
        if self._readings[oldest].task.done():
            del self._readings[oldest]

    def _ended(self, key: Hashable, reading: _Reading) -> None:
        reading.ended_at = asyncio.get_running_loop().time()
        if reading.task.cancelled():
            self._forget(key, reading)
            return
        error = reading.task.exception()
        if error is not None and reading.waiting == 0:
            level = logger.warning if isinstance(error, StoreUnavailable) else logger.error
            level("reading-failed", cause=repr(error))
        if error is not None or (reading.waiting == 0 and not reading.keep):
            self._forget(key, reading)

    def _forget(self, key: Hashable, reading: _Reading) -> None:
        if self._readings.get(key) is reading:
            del self._readings[key]


async def _run(work: Work, found: Found) -> Stretch:
    return await work(found)
