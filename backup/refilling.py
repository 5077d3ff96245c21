"""Restoring the log: every record into its partition, with its key, value, headers and time, at its own offset.

Offsets are counted by the broker. A partition whose log began behind 0 is filled with empty records up to there, which
are let go of at once; then each record that is appended in order has the offset that it had. How much is there tells
how far a restore has come.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from backup.avro_files import digest_of
from backup.manifest import PartitionCopy, TopicCopy
from backup.segments import RecordsDigest, records_in
from backup.shelf import Shelf
from backup.topics import Topics
from photolog.errors import Conflict, Corruption
from photolog.log.bulk import Appended
from photolog.log.record import StoredRecord
from photolog.log.replaying import Appender, Reader
from photolog.log.slices import Place, Slice

BATCH_RECORDS = 5_000
FILL_RECORDS_MAX = 10_000_000
WHILE_RESTORING = {"retention.ms": "-1", "retention.bytes": "-1"}
_NOT_RESTORED = frozenset({"min.insync.replicas", *WHILE_RESTORING})
Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """A topic whose records were all held to their digests.

    Args:
        topic: its name.
        records: how many it holds.
        first: the lowest first offset of its partitions.
        end: the highest end.
        digest: of all its records.
    """

    topic: str
    records: int
    first: int
    end: int
    digest: str


class Refilling:
    """Restores topics.

    Args:
        shelf: the backup.
        topics: Kafka.
        reader: reads the log.
        appender: appends to it.
        report: is told how many records more are restored, or looked at.
        batch_records: how many are appended at once.
    """

    def __init__(
        self,
        shelf: Shelf,
        topics: Topics,
        reader: Reader,
        appender: Appender,
        report: Report,
        batch_records: int = BATCH_RECORDS,
    ) -> None:
        self._shelf = shelf
        self._topics = topics
        self._reader = reader
        self._appender = appender
        self._report = report
        self._batch_records = batch_records

    async def prepare(self, copies: Sequence[TopicCopy]) -> None:
        """Have the topics there, with the partitions that they had. They keep everything until `finish`.

        Raises:
            Conflict: one has more partitions, or began where no filling can bring a partition to.
        """
        check_fillable(copies)
        there = await self._topics.described([one.topic for one in copies])
        for one in copies:
            wanted, here = len(one.partitions), there.get(one.topic)
            if here is None:
                await self._topics.create(one.topic, wanted, _config(one) | WHILE_RESTORING)
                continue
            if here.partitions > wanted:
                raise Conflict(
                    "more-partitions",
                    f"{one.topic} has {here.partitions} partitions, and had {wanted}: delete the empty topic, and it "
                    "is made as it was",
                )
            if here.partitions < wanted:
                await self._topics.add_partitions(one.topic, wanted)
            await self._topics.configure(one.topic, _config(one) | WHILE_RESTORING)

    async def refill(self, copy: TopicCopy) -> None:
        """Append what is not there yet.

        Raises:
            Conflict: somebody else appends, too.
            Corruption: the backup is damaged.
            LogUnavailable, StoreUnavailable: run it again; it goes on.
        """
        bounds = await self._topics.bounds([copy.topic])
        for one in copy.partitions:
            place = (copy.topic, one.partition)
            await self._begin(place, one, bounds[place].begin, bounds[place].end)
            for segment in one.segments:
                if segment.end > bounds[place].end:
                    records = records_in(*place, segment, await self._shelf.get(segment.name))
                    await self._append([record for record in records if record.offset >= bounds[place].end])
                    await self._expect(place, segment.end)
                self._report(segment.end - segment.first)

    async def proven(self, copy: TopicCopy) -> Restored:
        """Read a topic again and hold every record to the digests of the manifest.

        Raises:
            Corruption: a record is not the one that was copied, or is not there.
            LogUnavailable: run it again.
        """
        whole = RecordsDigests(copy)
        slices = [
            Slice(copy.topic, one.partition, one.begin, one.end) for one in copy.partitions if one.begin < one.end
        ]
        async for batch in self._reader.read(slices):
            for record in batch.records:
                whole.add(record)
            self._report(len(batch.records))
        whole.finish()
        ends = await self._topics.bounds([copy.topic])
        if wrong := [one for one in copy.partitions if ends[copy.topic, one.partition].end != one.end]:
            raise _appended(copy.topic, wrong[0].partition, ends[copy.topic, wrong[0].partition].end, wrong[0].end)
        return counted(copy)

    async def finish(self, copies: Sequence[TopicCopy]) -> None:
        """Give topics the retention that they had."""
        for one in copies:
            await self._topics.configure(one.topic, {name: one.config.get(name) for name in WHILE_RESTORING})

    async def _begin(self, place: Place, copy: PartitionCopy, begin: int, end: int) -> None:
        missing = max(0, copy.begin - end)
        empty = (Appended(*place, None, None, (), 0) for _ in range(missing))
        while batch := list(islice(empty, self._batch_records)):
            await self._appender.append(batch)
        if missing:
            await self._expect(place, copy.begin)
        if begin < copy.begin:
            await self._topics.delete_before(place, copy.begin)

    async def _append(self, records: Sequence[StoredRecord]) -> None:
        for start in range(0, len(records), self._batch_records):
            await self._appender.append([_again(one) for one in records[start : start + self._batch_records]])

    async def _expect(self, place: Place, end: int) -> None:
        there = (await self._topics.bounds([place[0]]))[place].end
        if there != end:
            raise _appended(*place, there, end)


class RecordsDigests:
    """Holds the records of a topic to the digests of its segments, as they come.

    Args:
        copy: the topic.
    """

    def __init__(self, copy: TopicCopy) -> None:
        self._topic = copy.topic
        self._left = {one.partition: list(one.segments) for one in copy.partitions}
        self._at = {one.partition: one.begin for one in copy.partitions}
        self._digests = {one.partition: RecordsDigest() for one in copy.partitions}

    def add(self, record: StoredRecord) -> None:
        """The next record of its partition. Raises Corruption."""
        partition = record.partition
        if record.offset != self._at[partition] or not self._left[partition]:
            raise Corruption(
                f"{self._topic}/{partition} has offset {record.offset} where {self._at[partition]} belongs"
            )
        self._digests[partition].add(record)
        self._at[partition] += 1
        segment = self._left[partition][0]
        if self._at[partition] == segment.end:
            if str(self._digests[partition]) != segment.records_digest:
                raise Corruption(
                    f"{self._topic}/{partition}: the records from {segment.first} to {segment.end - 1} are not those "
                    "of the backup"
                )
            self._left[partition].pop(0)
            self._digests[partition] = RecordsDigest()

    def finish(self) -> None:
        """Make sure that all came. Raises Corruption."""
        for partition, left in self._left.items():
            if left:
                raise Corruption(f"{self._topic}/{partition} ends at {self._at[partition]}, before {left[-1].end}")


def topic_digest(copy: TopicCopy) -> str:
    """One digest for all records of a topic: that of its segments' digests, one after the other."""
    return digest_of("".join(one.records_digest for part in copy.partitions for one in part.segments).encode())


def counted(copy: TopicCopy) -> Restored:
    """A topic as the manifest has it."""
    first, end = min(one.begin for one in copy.partitions), max(one.end for one in copy.partitions)
    return Restored(copy.topic, copy.records, first, end, topic_digest(copy))


def check_fillable(copies: Sequence[TopicCopy]) -> None:
    """Raise Conflict where a partition began so late that it would take too many empty records to bring one there."""
    for topic in copies:
        for one in topic.partitions:
            if one.begin > FILL_RECORDS_MAX:
                raise Conflict(
                    "begins-too-late",
                    f"{topic.topic}/{one.partition} began at offset {one.begin}; up to {FILL_RECORDS_MAX} can be "
                    f"filled. --without {topic.topic} leaves the topic empty",
                )


def _config(copy: TopicCopy) -> dict[str, str]:
    return {name: value for name, value in copy.config.items() if name not in _NOT_RESTORED}


def _again(record: StoredRecord) -> Appended:
    return Appended(record.topic, record.partition, record.key, record.value, record.headers, record.timestamp_ms)


def _appended(topic: str, partition: int, there: int, wanted: int) -> Conflict:
    return Conflict(
        "appended-meanwhile",
        f"{topic}/{partition} ends at {there}, not {wanted}: somebody else appends to it. End every gateway and "
        "worker, delete the topic, and restore again",
    )
