"""Events that the log holds twice under one id: which of them an earlier file has.

Only files are asked that are finished for good before a stretch is begun: those of earlier stretches of its partition,
and, where the topic grew, those of the epochs before. An id's first record lies there, as a key stays in its partition
for an epoch. So the answer is the same whoever asks, whatever others write meanwhile.

A command that is repeated appends the same bytes with the same time. What a job concludes again, and a client observes
again, has the same id (a UUIDv5) and another time; it is looked for as far back as jobs remember ids.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from analytics.columns import EVENT_ID, from_parquet
from analytics.layout import HOUR_MS, ExportFile, hour_prefix, parsed, partition_prefix, type_prefix
from analytics.stretches import Stretch
from photolog.log.growth import History, epoch_of
from projections.fold import REMEMBERED_MS, Recorded

IDS_MAX = 1_000_000
_SKEW_MS = HOUR_MS  # by how much the clocks of two that append may differ


class Files(Protocol):
    """The bucket: `photolog.engines.object_store.ObjectStore`."""

    def keys(self, prefix: str, after: str = "") -> AsyncIterator[list[str]]:
        """The keys that begin with a prefix, in their order, a page at a time; only those behind `after`."""

    async def get(self, key: str) -> bytes:
        """A whole file."""

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write a file whole."""


class Repeats:
    """Looks for ids in earlier files, and remembers some of these.

    Args:
        files: the bucket.
        ids_max: how many ids are remembered.
    """

    def __init__(self, files: Files, ids_max: int = IDS_MAX) -> None:
        self._files = files
        self._ids_max = ids_max
        self._held: OrderedDict[str, pa.Array] = OrderedDict()

    async def of(
        self, stretch: Stretch, history: History, event_type: str, hour_ms: int, rows: Collection[Recorded]
    ) -> frozenset[str]:
        """The ids of those of some events that an earlier file has.

        Args:
            stretch: the stretch that they come from.
            history: how its topic has grown.
            event_type: their type.
            hour_ms: their hour.
            rows: the events.

        Raises:
            StoreUnavailable: the bucket did not answer.
        """
        wanted, found = pa.array([str(one.event_id) for one in rows], pa.string()), set[str]()
        timeless = any(one.event_id.version != 7 for one in rows)
        async for file in self._before(stretch, history, event_type, hour_ms, timeless):
            held = await self._ids(file.key)
            found.update(wanted.filter(pc.is_in(wanted, value_set=held)).to_pylist())
        return frozenset(found)

    async def _before(
        self, stretch: Stretch, history: History, event_type: str, hour_ms: int, timeless: bool
    ) -> AsyncIterator[ExportFile]:
        if timeless:
            prefix, after = type_prefix(event_type), hour_prefix(event_type, max(0, hour_ms - REMEMBERED_MS))
        elif stretch.epoch:
            prefix, after = hour_prefix(event_type, hour_ms), ""
        else:
            prefix, after = partition_prefix(event_type, hour_ms, stretch.topic, stretch.partition), ""
        async for keys in self._files.keys(prefix, after):
            for file in filter(None, map(parsed, keys)):
                if file.hour_ms > hour_ms + _SKEW_MS:
                    return
                if _is_before(file, stretch, history):
                    yield file

    async def _ids(self, key: str) -> pa.Array:
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        column = from_parquet(await self._files.get(key), [EVENT_ID]).column(EVENT_ID).combine_chunks()
        self._held[key] = column
        while len(self._held) > 1 and sum(map(len, self._held.values())) > self._ids_max:
            self._held.popitem(last=False)
        return column


def _is_before(file: ExportFile, stretch: Stretch, history: History) -> bool:
    if file.topic != stretch.topic:
        return False
    if file.partition == stretch.partition:
        return file.begin < stretch.begin
    return epoch_of(history, file.partition, file.begin) < stretch.epoch
