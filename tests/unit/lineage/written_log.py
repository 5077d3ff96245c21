"""A log in memory as librdkafka shows the real one: partitions by Kafka's own hash, growths, times that step back."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from photolog.ids import new_event_id
from photolog.log.growth import Growth, History
from photolog.log.partitioner import partition_of
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.log.slices import Batch, Slice
from photolog.positions import Position
from schemas.events import Event
from schemas.topics import TOPICS
from tests.unit.streams.river import encoded


class WrittenLog:
    """Topics of so many partitions each, and the reader of them: `lineage.reading.Reader` and `Growths`.

    Args:
        partitions: how many each topic has.
        seed: how partitions come one after the other when several are read.
    """

    def __init__(self, partitions: int = 4, seed: int = 0) -> None:
        self.count = partitions
        self.partitions: defaultdict[tuple[str, int], list[StoredRecord]] = defaultdict(list)
        self.histories: dict[str, list[Growth]] = {topic.name: [] for topic in TOPICS}
        self.given = 0
        self._chaos = random.Random(seed)

    def write(self, event: Event, at_ms: int, event_id: UUID | None = None, correlation: str = "c") -> StoredRecord:
        """Append a command's event."""
        record = encoded(event, event_id=event_id or new_event_id(), at_ms=at_ms, correlation=correlation)
        return self.write_record(record)

    def write_record(self, record: EncodedRecord) -> StoredRecord:
        """Append a record."""
        position = self.append(record)
        return self.partitions[position.topic, position.partition][-1]

    def append(self, record: EncodedRecord) -> Position:
        """As the memory log of the jobs' tests."""
        partition = partition_of(record.key, self.count)
        held = self.partitions[record.topic, partition]
        held.append(
            StoredRecord(
                record.topic, partition, len(held), record.key, record.value, record.headers, record.timestamp_ms
            )
        )
        return Position(record.topic, partition, len(held) - 1)

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        """As a producer."""
        return [self.append(record) for record in records]

    def grow(self, partitions: int) -> None:
        """Give every topic more partitions."""
        for topic, history in self.histories.items():
            cuts = tuple(len(self.partitions[topic, partition]) for partition in range(self.count))
            history.append(Growth(self.count, partitions, cuts))
        self.count = partitions

    async def of(self, topic: str) -> History:
        """The growths of a topic."""
        return tuple(self.histories[topic])

    async def whole(self, topic: str) -> list[Slice]:
        """See `Reader`."""
        return [Slice(topic, partition, 0, len(self.partitions[topic, partition])) for partition in range(self.count)]

    async def since(self, slices: Sequence[Slice], timestamp_ms: int) -> list[Slice]:
        """See `Reader`."""
        return [one.begun_at(self._first(one, timestamp_ms)) for one in slices]

    async def read(self, slices: Sequence[Slice]) -> AsyncIterator[Batch]:
        """See `Reader`: a few records of one partition or of several at a time."""
        left = {one.place: list(self.partitions[one.place][one.begin : one.end]) for one in slices}
        while left := {place: records for place, records in left.items() if records}:
            batch: list[StoredRecord] = []
            for place in self._chaos.sample(sorted(left), self._chaos.randint(1, len(left))):
                taken = self._chaos.randint(1, 3)
                batch += left[place][:taken]
                del left[place][:taken]
            self.given += len(batch)
            yield Batch(batch, frozenset(left))

    def _first(self, one: Slice, timestamp_ms: int) -> int:
        held = self.partitions[one.place]
        return next((record.offset for record in held if record.timestamp_ms >= timestamp_ms), -1)
