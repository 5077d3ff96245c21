"""Stretches of the log by librdkafka: given partitions between given offsets, in no group and with no position."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import LOG_LEVEL, client_config
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings

BATCH_RECORDS_MAX = 2_000
_WAIT_SECONDS = 0.1  # a batch that does not fill waits so long for more
_TIMEOUT_SECONDS = 10.0
_CONFIG: Mapping[str, Any] = {
    # It names a group because the client wants one; it joins none.
    "group.id": "photolog-slices",
    "enable.auto.commit": False,
    "log_level": LOG_LEVEL,
    # What goes away while it is being read is told, not skipped.
    "auto.offset.reset": "error",
    # The end of a partition need not be a record: markers of transactions have offsets, too.
    "enable.partition.eof": True,
    # What made librdkafka read fastest; its defaults leave it idle between fetches. The second bounds its memory.
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.queue.backoff.ms": 5,
}
T = TypeVar("T")
Place = tuple[str, int]
"""A partition of a topic."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of one partition.

    Args:
        topic: the topic's name.
        partition: the partition.
        begin: the first offset.
        end: the offset behind the last one; None goes on with whatever is appended.
    """

    topic: str
    partition: int
    begin: int
    end: int | None

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.topic, self.partition

    def begun_at(self, offset: int) -> "Slice":
        """What is left of a slice with an end when it begins at an offset; nothing where that is negative, which is how
        Kafka says that there is no such record."""
        end = self.begin if self.end is None else self.end
        return replace(self, begin=end if offset < 0 else min(max(self.begin, offset), end))


@dataclass(frozen=True, slots=True)
class Batch:
    """What came together.

    Args:
        records: in each partition's order; none where nothing came for a moment.
        behind: the partitions that have not yet come to their slice's end, or, where it has none, to where the log
            ended as reading began.
    """

    records: Sequence[StoredRecord]
    behind: frozenset[Place]


class SliceReader:
    """Reads slices, one call of `read` after the other.

    Args:
        kafka: the log.
        connect: makes the client.
    """

    def __init__(self, kafka: KafkaSettings, connect: Callable[[dict[str, Any]], Any] = Consumer) -> None:
        self._client = connect({**client_config(kafka), **_CONFIG})
        # A call goes on in its thread when its caller is cancelled, and closing must not take the client from it.
        self._calling = threading.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ask(self._client.close)

    async def whole(self, topic: str) -> list[Slice]:
        """Everything that a topic holds now, a slice for each partition.

        Raises:
            LogUnavailable: the broker did not answer, or has no such topic.
        """
        partitions = await self._ask(_partitions, self._client, topic)
        bounds = [(partition, *await self.bounds(topic, partition)) for partition in partitions]
        return [Slice(topic, partition, low, high) for partition, low, high in bounds]

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that a partition holds, and that which its next record will have. Raises LogUnavailable."""
        place = TopicPartition(topic, partition)
        low, high = await self._ask(self._client.get_watermark_offsets, place, _TIMEOUT_SECONDS)
        return low, high

    async def since(self, slices: Sequence[Slice], timestamp_ms: int) -> list[Slice]:
        """The slices without what lies before their first record of a time or later.

        Older records that were appended behind that one are still in them.

        Args:
            slices: each with an end.
            timestamp_ms: the time, Unix milliseconds.

        Raises:
            LogUnavailable: the broker did not answer.
        """
        asked = [TopicPartition(*one.place, timestamp_ms) for one in slices]
        answers = await self._ask(self._client.offsets_for_times, asked, _TIMEOUT_SECONDS) if asked else []
        first = {(answer.topic, answer.partition): answer for answer in answers}
        for answer in answers:
            if answer.error is not None:
                raise LogUnavailable(f"{answer.topic}/{answer.partition}: {answer.error}")
        return [one.begun_at(first[one.place].offset) for one in slices]

    async def read(self, slices: Sequence[Slice]) -> AsyncIterator[Batch]:
        """Read slices side by side, until all have come to their end; never ends where one has none.

        Raises:
            LogUnavailable: the broker did not answer, or no longer holds what a slice begins with.
        """
        lows, goals = {}, {}
        for one in slices:
            lows[one.place], high = await self.bounds(*one.place)
            goals[one.place] = high if one.end is None else one.end
        reading = _Reading([one for one in slices if one.end is None or one.begin < one.end], goals)
        # What retention takes away between the question and the first fetch is no error for a slice from the beginning.
        begins = {one.place: one.begin if one.begin > lows[one.place] else OFFSET_BEGINNING for one in reading.slices}
        await self._ask(self._client.assign, [TopicPartition(*place, begin) for place, begin in begins.items()])
        await self.release(reading.unfinished)  # the client remembers that an earlier call held them
        while reading.unfinished:
            messages = await self._ask(self._client.consume, BATCH_RECORDS_MAX, _WAIT_SECONDS)
            if not messages and reading.behind:
                # The client waits for the broker without a word; its watermark tells whether it is there.
                await self.bounds(*next(iter(reading.behind)))
            before = reading.unfinished
            batch = reading.take(messages)
            await self.hold(before - reading.unfinished)
            yield batch

    async def hold(self, places: Collection[Place]) -> None:
        """Give nothing more of these partitions until they are released."""
        if places:
            await self._ask(self._client.pause, [TopicPartition(*place) for place in places])

    async def release(self, places: Collection[Place]) -> None:
        """Go on with partitions that were held."""
        if places:
            await self._ask(self._client.resume, [TopicPartition(*place) for place in places])

    async def _ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """A call of the client's, off the loop, with its errors as ours."""
        try:
            return await asyncio.to_thread(self._call, question, *arguments)
        except KafkaException as error:
            raise LogUnavailable(f"Kafka: {error}") from error

    def _call(self, question: Callable[..., T], *arguments: Any) -> T:
        with self._calling:
            return question(*arguments)


class _Reading:
    """How far one call of `read` has come.

    Args:
        slices: those that hold anything, or will.
        goals: for each of them the offset at which it is no longer behind.
    """

    def __init__(self, slices: Sequence[Slice], goals: Mapping[Place, int]) -> None:
        self.slices = slices
        self._next = {one.place: one.begin for one in slices}
        self._ends = {one.place: one.end for one in slices}
        self._goals = goals
        self.unfinished = frozenset(self._ends)
        self.behind = frozenset(one.place for one in slices if one.begin < goals[one.place])

    def take(self, messages: Iterable[Any]) -> Batch:
        """What of the messages belongs to the slices."""
        records = []
        for message in messages:
            if (error := message.error()) is not None and error.code() != KafkaError._PARTITION_EOF:
                raise LogUnavailable(f"{message.topic()}/{message.partition()}: {error.str()}")
            place, offset = (message.topic(), message.partition()), message.offset()
            # A client that was held for a while may give again what it gave before.
            if place not in self.unfinished or offset < self._next[place]:
                continue
            end = self._ends[place]
            if error is None and (end is None or offset < end):
                records.append(stored_record(message))
                offset += 1
            self._come_to(place, offset, at_end=error is not None)
        return Batch(records, self.behind)

    def _come_to(self, place: Place, offset: int, *, at_end: bool) -> None:
        self._next[place] = offset
        if at_end or offset >= self._goals[place]:
            self.behind -= {place}
        end = self._ends[place]
        if end is not None and (at_end or offset >= end):
            self.unfinished -= {place}


def _partitions(client: Any, topic: str) -> list[int]:
    described = client.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic]
    if described.error is not None and described.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise LogUnavailable(f"Kafka has no topic {topic}")
    if described.error is not None:
        raise KafkaException(described.error)
    return sorted(described.partitions)
