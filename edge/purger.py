"""Tells the caches before the edge what is public no more, as the log tells it.

A side effect of events, so it is nothing that a rebuild repeats: it has a place of its own in the log, and moves on
only once the caches did as they were told. It speaks after the read models know of the event, or the edge would fill
the cache again from rows of before, and once more when everything is over that the edge had begun until then.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from edge.purge_log import PurgeLog
from edge.purging import ENDING, MODELS, purged_keys
from photolog.errors import StoreUnavailable, UndecodableRecord
from photolog.log.record import StoredRecord
from photolog.media.caches import Caches
from photolog.stall import Stall
from projections.stores.pinning import PinnedPointers
from projections.stores.port import PositionStore, Source
from schemas.serde import Serde

SETTLE_SECONDS = 12.0
"""A cache keeps nothing that took the edge longer than this, less a second or two (`first_byte_timeout`)."""
BATCHES_MAX = 1_000
_POLL_SECONDS = 0.02
_MODEL_SECONDS_MAX = 10.0
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """A batch that caches were told of once. `due` is when they are told again."""

    keys: Sequence[str]
    offsets: Mapping[tuple[str, int], int]
    due: float


class Purger:
    """Purges, record after record.

    Args:
        log: what happens.
        caches: what is told.
        positions: how far the read models are.
        serde: the codec.
        pinned: the generations of read models.
        settle_seconds: between the first and the second call.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        log: PurgeLog,
        caches: Caches,
        positions: PositionStore,
        serde: Serde,
        pinned: PinnedPointers,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._caches = caches
        self._positions = positions
        self._serde = serde
        self._pinned = pinned
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._waiting: Sequence[StoredRecord] = ()
        self._told: deque[_Told] = deque()
        self._stall = Stall("purge")

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Purge until `stop` is set, also while it waits for what is away. What was not told twice by then is told
        again by the next."""
        ends = {asyncio.create_task(stop.wait()), asyncio.create_task(self._go_on(ready))}
        done, others = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for end in done:
            end.result()

    async def _go_on(self, ready: asyncio.Event) -> None:
        while True:
            await self._stall.until_done(self.step)
            ready.set()

    async def step(self) -> None:
        """Take what came, and finish what is due. It may be repeated after any error.

        Raises:
            StoreUnavailable: a cache or a store did not answer.
            LogUnavailable: the log did not.
        """
        await self._finish()
        if len(self._told) < BATCHES_MAX:
            await self._take(self._waiting or await self._log.next())
        else:
            await asyncio.sleep(_POLL_SECONDS)

    async def _take(self, records: Sequence[StoredRecord]) -> None:
        if not records:
            return
        self._waiting = records  # what was read is not read again where this fails
        keys = await self._keys(records)
        if keys:
            await self._caches.purge(keys)
        offsets = {(record.topic, record.partition): record.offset + 1 for record in records}
        self._told.append(_Told(keys, offsets, self._clock() + (self._settle_seconds if keys else 0.0)))
        self._waiting = ()

    async def _finish(self) -> None:
        """Tell again what is due, and move on behind it."""
        offsets: dict[tuple[str, int], int] = {}
        finished = 0
        for told in self._told:
            if told.due > self._clock():
                break
            if told.keys:
                await self._caches.purge(told.keys)
            offsets |= told.offsets
            finished += 1
        if finished:
            await self._log.done(offsets)
            for _ in range(finished):
                self._told.popleft()

    async def _keys(self, records: Sequence[StoredRecord]) -> list[str]:
        """The keys to purge, once the read models know why."""
        keys: dict[str, None] = {}
        last: dict[tuple[str, int], int] = {}
        for record in records:
            found = self._keys_of(record)
            if found:
                keys.update(dict.fromkeys(found))
                last[record.topic, record.partition] = record.offset
        for (topic, partition), offset in last.items():
            await self._passed(topic, partition, offset)
        return list(keys)

    def _keys_of(self, record: StoredRecord) -> tuple[str, ...]:
        try:
            sealed = self._serde.parse(record.value)
            if sealed.schema.event not in ENDING:
                return ()
            # None of what hides something is personal, so no key is asked for.
            return purged_keys(self._serde.open_record(sealed, lambda subject_id: None))
        except UndecodableRecord as error:
            # The job that folds the topic puts it aside, so it changes nothing; its retry comes by here again.
            logger.warning("purge-undecodable", topic=record.topic, offset=record.offset, reason=str(error))
            return ()

    async def _passed(self, topic: str, partition: int, offset: int) -> None:
        """Return once the topic's read model is past a record.

        Raises:
            StoreUnavailable: it was not for a while; to be asked again.
        """
        give_up = self._clock() + _MODEL_SECONDS_MAX
        while self._clock() < give_up:
            await self._pinned.pin_fresh()
            stored = await self._positions.position(Source(MODELS[topic], topic, partition))
            if stored is not None and stored.next_offset > offset:
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise StoreUnavailable(f"the read model of {topic} is not past {partition}@{offset}")
