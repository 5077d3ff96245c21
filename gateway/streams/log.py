"""The log as streams read it: in no group, from given offsets, with bounds on what a reader keeps in memory."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from gateway.streams.cursors import Offsets
from photolog.errors import Gone, LogUnavailable
from photolog.log.ends import Ends
from photolog.log.kafka_config import client_config
from photolog.log.offsets import BEGINNING, END, offsets_at
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings

HISTORY_RECORDS_MAX = 200  # at once, of which each reader of history holds some
HUB_RECORDS_MAX = 1_000
_WAIT_SECONDS = 0.2
_TIMEOUT_SECONDS = 5.0
# A reader holds so much ahead of what it was asked for, at most about; librdkafka's own is 64 MiB.
_BOUNDS = {
    "queued.max.messages.kbytes": 2_048,
    "fetch.max.bytes": 1_048_576,
    "max.partition.fetch.bytes": 1_048_576,
    "fetch.wait.max.ms": 100,
    "topic.metadata.refresh.interval.ms": 30_000,
}
T = TypeVar("T")


class StreamReader(Protocol):
    """Reads some partitions onwards."""

    async def next(self) -> Sequence[StoredRecord]:
        """The next records, of each partition in order; none where none came for a moment.

        Raises:
            Gone: the log does not hold what comes next any more.
            LogUnavailable: the broker does not answer; to be asked again.
        """

    async def add(self, offsets: Offsets) -> None:
        """Read further partitions, too, from these offsets on."""

    async def close(self) -> None: ...


class StreamLog(Protocol):
    """Gives bounds and readers: Kafka, or lists in tests."""

    async def bounds(self, topics: Collection[str]) -> tuple[Ends, Ends]:
        """The first offset that each partition holds, and the next offset of each, now. Raises LogUnavailable."""

    def reader(self, offsets: Offsets, records_max: int = HISTORY_RECORDS_MAX) -> StreamReader:
        """A reader from these offsets on, of at most so many records at once."""

    async def close(self) -> None: ...


class KafkaStreamLog:
    """`StreamLog` over librdkafka.

    Args:
        kafka: the log.
        readers_max: readers that read at once; each holds a thread while it waits.
    """

    def __init__(self, kafka: KafkaSettings, readers_max: int) -> None:
        self._kafka = kafka
        self._threads = ThreadPoolExecutor(readers_max + 1, thread_name_prefix="streams")
        self._admin: AdminClient | None = None

    async def bounds(self, topics: Collection[str]) -> tuple[Ends, Ends]:
        return await _asked(self._threads, lambda: self._bounds(topics))

    def reader(self, offsets: Offsets, records_max: int = HISTORY_RECORDS_MAX) -> "KafkaStreamReader":
        config = {
            **client_config(self._kafka),
            **_BOUNDS,
            "group.id": "photolog-analysts",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
        }
        return KafkaStreamReader(Consumer(config), self._threads, offsets, records_max)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _bounds(self, topics: Collection[str]) -> tuple[Ends, Ends]:
        if self._admin is None:
            self._admin = AdminClient(client_config(self._kafka))
        described = self._admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        places = [(topic, number) for topic in topics if topic in described for number in described[topic].partitions]
        # The ends are asked for first: a beginning that moves meanwhile is then seen.
        ends = offsets_at(self._admin, places, END, _TIMEOUT_SECONDS)
        return offsets_at(self._admin, places, BEGINNING, _TIMEOUT_SECONDS), ends


class KafkaStreamReader:
    """`StreamReader` over one consumer.

    Args:
        consumer: its own.
        threads: where its calls wait.
        offsets: where it begins.
        records_max: how many records come at once, at most.
    """

    def __init__(self, consumer: Any, threads: ThreadPoolExecutor, offsets: Offsets, records_max: int) -> None:
        self._records_max = records_max
        self._consumer = consumer
        self._threads = threads
        # Whoever gives a reader up closes it while another thread may still wait for its records.
        self._one_at_a_time = threading.Lock()
        self._consumer.assign(_places(offsets))

    async def next(self) -> Sequence[StoredRecord]:
        return await _asked(self._threads, self._batch)

    async def add(self, offsets: Offsets) -> None:
        await _asked(self._threads, lambda: self._alone(self._consumer.incremental_assign, _places(offsets)))

    async def close(self) -> None:
        await _asked(self._threads, lambda: self._alone(self._consumer.close))

    def _alone(self, function: Callable[..., T], *arguments: Any) -> T:
        with self._one_at_a_time:
            return function(*arguments)

    def _batch(self) -> list[StoredRecord]:
        messages = self._alone(self._consumer.consume, self._records_max, _WAIT_SECONDS)
        errors = [error for error in (message.error() for message in messages) if error is not None]
        records = [stored_record(message) for message in messages if message.error() is None]
        if not records and errors:
            # What is wrong is said again with the next call, so records that came with it go first.
            raise _gone() if errors[0].code() == KafkaError._AUTO_OFFSET_RESET else LogUnavailable(str(errors[0]))
        return records


def _places(offsets: Offsets) -> list[TopicPartition]:
    return [TopicPartition(*place, offset) for place, offset in sorted(offsets.items())]


def _gone() -> Gone:
    return Gone("cursor-expired", "the log does not hold what comes next any more", "cursor")


async def _asked(threads: ThreadPoolExecutor, function: Callable[[], T]) -> T:
    """A call of the client's, off the loop, with its errors as ours."""
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, function)
    except KafkaException as error:
        raise LogUnavailable(str(error)) from error


def places_of(topics: Iterable[str], offsets: Offsets) -> dict[tuple[str, int], int]:
    """The part of some offsets that is of these topics."""
    wanted = frozenset(topics)
    return {place: offset for place, offset in offsets.items() if place[0] in wanted}
