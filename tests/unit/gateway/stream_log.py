"""The log of a `River` as streams read it: offsets count through all topics, so they have holes, as Kafka's may."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from gateway.streams.cursors import Offsets
from gateway.streams.log import StreamReader
from photolog.errors import Gone
from photolog.log.ends import Ends
from photolog.log.record import EncodedRecord, StoredRecord
from schemas.topics import TOPICS

PARTITION = 2  # as in River
_BATCH = 7


class Records(Protocol):
    """What holds the records: a `River`."""

    records: list[EncodedRecord]


class MemoryStreamLog:
    """`gateway.streams.log.StreamLog` over a list.

    All records are in the last of `partitions`. `start` is the first offset that is left; `read` counts how often each
    record was read.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self.start = 0
        self.partitions = PARTITION + 1
        self.read: dict[int, int] = {}
        self.open_readers = 0

    async def bounds(self, topics: Collection[str]) -> tuple[Ends, Ends]:
        names = [topic.name for topic in TOPICS if topic.name in topics]
        ends = {(name, partition): self.start for name in names for partition in range(self.partitions)}
        for offset, record in enumerate(self._records.records):
            if record.topic in topics and offset >= self.start:
                ends[record.topic, PARTITION] = offset + 1
        return dict.fromkeys(ends, self.start), ends

    def reader(self, offsets: Offsets, records_max: int = _BATCH) -> StreamReader:
        self.open_readers += 1
        return MemoryReader(self, self._records, dict(offsets))

    async def close(self) -> None:
        """Nothing is open here."""


class MemoryReader:
    """Reads the list."""

    def __init__(self, log: MemoryStreamLog, records: Records, offsets: dict[tuple[str, int], int]) -> None:
        self._log = log
        self._records = records
        self._offsets = offsets

    async def next(self) -> Sequence[StoredRecord]:
        found: list[StoredRecord] = []
        if self._offsets and min(self._offsets.values()) < self._log.start:
            raise Gone("cursor-expired", "gone", "cursor")
        for offset, record in enumerate(self._records.records):
            place = (record.topic, PARTITION)
            if place in self._offsets and offset >= self._offsets[place] and len(found) < _BATCH:
                found.append(_stored(record, offset))
                self._offsets[place] = offset + 1
                self._log.read[offset] = self._log.read.get(offset, 0) + 1
        await asyncio.sleep(0 if found else 0.005)
        return found

    async def add(self, offsets: Offsets) -> None:
        self._offsets |= offsets

    async def close(self) -> None:
        self._log.open_readers -= 1


def _stored(record: EncodedRecord, offset: int) -> StoredRecord:
    return StoredRecord(
        topic=record.topic,
        partition=PARTITION,
        offset=offset,
        key=record.key,
        value=record.value,
        headers=record.headers,
        timestamp_ms=record.timestamp_ms,
    )
