"""The records of some stretches, read side by side, and where each stretch ends that was not decided yet."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from analytics.stretches import Stretch
from photolog.errors import Gone
from photolog.log.record import StoredRecord
from photolog.log.slices import Batch, Slice


class Reader(Protocol):
    """Reads stretches of the log: `photolog.log.slices.SliceReader`."""

    async def whole(self, topic: str) -> list[Slice]:
        """Everything that a topic holds now, a slice for each partition."""

    async def since(self, slices: Sequence[Slice], timestamp_ms: int) -> list[Slice]:
        """The slices without what lies before their first record of a time or later."""

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that a partition holds, and that which its next record will have."""

    def read(self, slices: Sequence[Slice]) -> AsyncIterator[Batch]:
        """Read slices side by side, each in its own order."""


@dataclass(frozen=True, slots=True)
class Records:
    """A stretch whose end is decided, and all of its records."""

    stretch: Stretch
    records: Sequence[StoredRecord]


async def records_of(reader: Reader, stretches: Sequence[Stretch], records_max: int, bytes_max: int) -> list[Records]:
    """The records of stretches of one topic.

    One that was planned is read whole. Others end before there is too much of them.

    Args:
        reader: reads the log.
        stretches: one for each partition at most.
        records_max: how many records to take of all of them.
        bytes_max: how large these may be; one of each partition is taken in any case.

    Raises:
        Gone: the log lost records of a stretch meanwhile.
        LogUnavailable: the broker did not answer.
    """
    share = max(1, records_max // len(stretches))
    wanted = [one if one.planned else replace(one, end=min(one.end, one.begin + share)) for one in stretches]
    taken = {one.partition: _Taken(one, bytes_max // len(stretches)) for one in wanted}
    async for batch in reader.read([Slice(one.topic, one.partition, one.begin, one.end) for one in wanted]):
        by_partition: defaultdict[int, list[StoredRecord]] = defaultdict(list)
        for record in batch.records:
            by_partition[record.partition].append(record)
        for partition, records in by_partition.items():
            taken[partition].add(records)
    for one in wanted:
        first, _ = await reader.bounds(one.topic, one.partition)
        if first > one.begin:
            raise Gone(
                "log-lost", f"{one.topic}/{one.partition} lost what was being exported: it begins at {first} now"
            )
    return [one.whole() for one in taken.values()]


class _Taken:
    """What is taken of a stretch.

    Args:
        stretch: the stretch, as far as it may go.
        bytes_max: of records that are taken, where its end is not decided.
    """

    def __init__(self, stretch: Stretch, bytes_max: int) -> None:
        self._stretch = stretch
        self._left = bytes_max
        self._records: list[StoredRecord] = []

    def add(self, records: Sequence[StoredRecord]) -> None:
        """Take records in the partition's order, until there are enough."""
        for record in records:
            if record.offset >= self._stretch.end:
                return
            self._left -= len(record.value or b"") + len(record.key or b"")
            if self._left < 0 and self._records and not self._stretch.planned:
                self._stretch = replace(self._stretch, end=record.offset)
                return
            self._records.append(record)

    def whole(self) -> Records:
        """The stretch with its end."""
        return Records(self._stretch, self._records)
