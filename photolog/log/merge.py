"""Records of several partitions in one order, by their time, with bounded memory.

Within a partition the order is the log's and never changed. Across partitions the next record is the one with the
earliest time among the first that each partition has left, and a partition that is still behind is waited for. So the
order is exact as far as each partition's own times rise; a partition that gets ahead of the others is held, not
remembered. What is followed beyond the end is ordered only within what came together, as nobody knows what will come.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from photolog.log.record import StoredRecord
from photolog.log.slices import Place, Slice, SliceReader

BUFFER_BYTES_MAX = 64 << 20
_RECORD_BYTES = 512  # what a record takes beside its key and value


async def in_time_order(reader: SliceReader, slices: Sequence[Slice]) -> AsyncIterator[list[StoredRecord]]:
    """Read slices as one sequence.

    Raises:
        LogUnavailable: as `SliceReader.read`.
    """
    merge = Merge(BUFFER_BYTES_MAX // max(1, len(slices)))
    held: frozenset[Place] = frozenset()
    async for batch in reader.read(slices):
        merge.add(batch.records)
        if records := list(merge.take(batch.behind)):
            yield records
        await reader.hold(merge.full - held)
        await reader.release(held - merge.full)
        held = merge.full


class Merge:
    """What has been read and may not be given yet.

    Args:
        bytes_max: how much of a partition is read ahead, beyond one batch.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._waiting: defaultdict[Place, deque[StoredRecord]] = defaultdict(deque)
        self._bytes: defaultdict[Place, int] = defaultdict(int)
        self._firsts: list[tuple[int, Place]] = []

    @property
    def full(self) -> frozenset[Place]:
        """The partitions of which enough is read for now."""
        return frozenset(place for place, size in self._bytes.items() if size > self._bytes_max)

    def add(self, records: Iterable[StoredRecord]) -> None:
        """Take records in, in each partition's order."""
        for record in records:
            place = (record.topic, record.partition)
            if not self._waiting[place]:
                heapq.heappush(self._firsts, (record.timestamp_ms, place))
            self._waiting[place].append(record)
            self._bytes[place] += _size(record)

    def take(self, behind: frozenset[Place]) -> Iterator[StoredRecord]:
        """Give what comes before anything that may still come.

        Args:
            behind: the partitions of which more is to come at once.
        """
        missing = sum(not self._waiting[place] for place in behind)
        while self._firsts and not missing:
            _, place = heapq.heappop(self._firsts)
            waiting = self._waiting[place]
            record = waiting.popleft()
            self._bytes[place] -= _size(record)
            if waiting:
                heapq.heappush(self._firsts, (waiting[0].timestamp_ms, place))
            elif place in behind:
                missing += 1
            yield record


def _size(record: StoredRecord) -> int:
    return len(record.key or b"") + len(record.value or b"") + _RECORD_BYTES
