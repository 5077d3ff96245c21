"""Copying the log: of each partition what is not in the backup yet, several partitions at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backup.manifest import PartitionCopy, Segment
from backup.segments import Found, found_in, prefix_of, segment_of, segment_there
from backup.shelf import Shelf
from backup.topics import Bounds
from photolog.errors import Conflict, Corruption, LogUnavailable
from photolog.log.record import StoredRecord
from photolog.log.replaying import Reader
from photolog.log.slices import Place, Slice

SEGMENT_BYTES = 16 << 20
SMALL_FILE_BYTES = 1 << 20
PLACES_AT_ONCE = 4
_RECORD_BYTES = 512  # what a record takes in memory beside its key and value


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be copied of a partition.

    Args:
        place: the partition.
        topic_id: Kafka's id of the topic.
        bounds: where it begins and ends now.
        before: what the last backup has of it, if there is one.
    """

    place: Place
    topic_id: str
    bounds: Bounds
    before: PartitionCopy | None

    def kept(self) -> list[Segment]:
        """The segments of before that are to stay.

        What the log let go of is let go of here as well. A small last segment is written again together with what
        came since, so that many small steps do not leave many small files.

        Raises:
            Conflict: the log ends before what was copied of it.
        """
        if self.before is None:
            return []
        if self.before.end > self.bounds.end:
            raise Conflict(
                "another-log",
                f"{self.place[0]}/{self.place[1]} ends at {self.bounds.end}, and was copied up to {self.before.end}: "
                "this is not the log that was backed up there. Choose another place",
            )
        there = [one for one in self.before.segments if one.end > self.bounds.begin]
        grew = self.before.end < self.bounds.end
        if there and grew and there[-1].size_bytes < SMALL_FILE_BYTES and there[-1].first >= self.bounds.begin:
            return there[:-1]
        return there

    def begin(self, kept: Sequence[Segment]) -> int:
        """Where copying goes on behind these segments."""
        if kept:
            return kept[-1].end
        return self.bounds.begin


class Copying:
    """Copies partitions.

    Args:
        reader: reads the log.
        shelf: where to.
        report: is told how many records more are in the backup.
        segment_bytes: how much of a partition is held until it is written.
    """

    def __init__(
        self, reader: Reader, shelf: Shelf, report: Callable[[int], None], segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self._reader = reader
        self._shelf = shelf
        self._report = report
        self._segment_bytes = segment_bytes

    async def run(self, wanted: Sequence[Wanted], *, adopt: bool) -> Mapping[Place, PartitionCopy]:
        """Copy what is not there.

        Args:
            wanted: the partitions.
            adopt: whether an earlier run may have left segments that no manifest names.

        Raises:
            Conflict: this is not the log that was copied before.
            Corruption: the log lacks an offset in the middle.
            LogUnavailable, StoreUnavailable: run it again; what was written is found.
        """
        done: dict[Place, PartitionCopy] = {}
        waiting: list[_Partition] = []
        for one in wanted:
            segments = one.kept()
            if adopt:
                segments += await self._left(one, one.begin(segments))
            partition = _Partition(one, segments)
            self._report(partition.next - one.bounds.begin)
            if partition.next < one.bounds.end:
                waiting.append(partition)
            else:
                done[one.place] = partition.copy()
        for start in range(0, len(waiting), PLACES_AT_ONCE):
            group = {one.place: one for one in waiting[start : start + PLACES_AT_ONCE]}
            await self._copy(group)
            done |= {place: partition.copy() for place, partition in group.items()}
        return done

    async def _copy(self, group: Mapping[Place, "_Partition"]) -> None:
        async for batch in self._reader.read([one.left() for one in group.values()]):
            for record in batch.records:
                partition = group[record.topic, record.partition]
                partition.add(record)
                if partition.held_bytes >= self._segment_bytes:
                    await self._write(partition)
        for partition in group.values():
            if partition.held:
                await self._write(partition)
            partition.finish()

    async def _write(self, partition: "_Partition") -> None:
        segment, data = segment_of(partition.held, partition.topic_id)
        await self._shelf.put(segment.name, data)
        self._report(len(partition.held))
        partition.written(segment)

    async def _left(self, wanted: Wanted, begin: int) -> list[Segment]:
        """What a run that was broken off has written behind an offset, without a gap."""
        there: dict[int, Found] = {}
        async for names in self._shelf.names(prefix_of(*wanted.place)):
            for found in filter(None, map(found_in, names)):
                longest = there.get(found.first)
                if found.end <= wanted.bounds.end and (longest is None or found.end > longest.end):
                    there[found.first] = found
        segments: list[Segment] = []
        while (left := there.get(begin)) is not None:
            segment = segment_there(left, await self._shelf.get(left.name) or b"", wanted.topic_id)
            if segment is None:
                break
            segments.append(segment)
            begin = segment.end
        return segments


class _Partition:
    """A partition that is being copied.

    Args:
        wanted: what is to be copied.
        segments: what is there.
    """

    def __init__(self, wanted: Wanted, segments: Sequence[Segment]) -> None:
        self.place = wanted.place
        self.topic_id = wanted.topic_id
        self.next = wanted.begin(segments)
        self.held: list[StoredRecord] = []
        self.held_bytes = 0
        self._began = self.next
        self._end = wanted.bounds.end
        self._segments = list(segments)

    def left(self) -> Slice:
        """What is to be read."""
        return Slice(*self.place, self.next, self._end)

    def add(self, record: StoredRecord) -> None:
        """Take the next record."""
        if record.offset != self.next:
            if self.next == self._began:
                raise LogUnavailable(f"{self._label()}: retention went past offset {self.next} meanwhile; run it again")
            raise Corruption(
                f"{self._label()} has no record between {self.next} and {record.offset}. Only transactions and "
                "compaction leave such gaps, which no topic of photolog has; offsets behind one cannot be restored"
            )
        self.held.append(record)
        self.held_bytes += len(record.key or b"") + len(record.value or b"") + _RECORD_BYTES
        self.next = record.offset + 1

    def written(self, segment: Segment) -> None:
        """What was held is in this segment."""
        self._segments.append(segment)
        self.held, self.held_bytes = [], 0

    def finish(self) -> None:
        """Make sure that all of it came."""
        if self.next != self._end:
            raise Corruption(f"{self._label()} has no record between {self.next} and its end, {self._end}")

    def copy(self) -> PartitionCopy:
        """What is in the backup now."""
        begin = self._segments[0].first if self._segments else self._end
        return PartitionCopy(self.place[1], begin, self._end, tuple(self._segments))

    def _label(self) -> str:
        return f"{self.place[0]}/{self.place[1]}"
