"""The log as the purger reads it: every partition, from where it was, or from as far back as a cache may remember.

It is in no group's rotation: each purger tells every cache everything, so several do no harm. What was done is kept as
the committed offsets of a group, and where there is none yet, whatever is older than a cached object may be is left.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition

from edge.purging import MODELS
from photolog.errors import LogUnavailable
from photolog.log.kafka_config import client_config
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings

GROUP = "photolog-purge"
RECORDS_MAX = 500
_WAIT_SECONDS = 0.2
_TIMEOUT_SECONDS = 10.0
_LOOK_SECONDS = 10.0  # for partitions that are new
Offsets = Mapping[tuple[str, int], int]
T = TypeVar("T")


class PurgeLog(Protocol):
    """Where the purger reads: Kafka, or a list in tests."""

    async def next(self) -> Sequence[StoredRecord]:
        """The next records, none where none came for a moment. Raises LogUnavailable."""

    async def done(self, offsets: Offsets) -> None:
        """Remember that everything before these offsets is done. Raises LogUnavailable."""


class KafkaPurgeLog:
    """`PurgeLog` over librdkafka.

    Args:
        kafka: the log.
        memory_seconds: how long a cache may keep an object.
    """

    def __init__(self, kafka: KafkaSettings, memory_seconds: int) -> None:
        config = {
            **client_config(kafka),
            "group.id": GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 4_096,
        }
        self._consumer: Any = Consumer(config)
        self._memory_seconds = memory_seconds
        self._assigned: set[tuple[str, int]] = set()
        self._looked_at = float("-inf")
        # One thread: the client's calls take turns.
        self._thread = ThreadPoolExecutor(1, "purge-log")

    async def next(self) -> Sequence[StoredRecord]:
        return await self._call(self._batch)

    async def done(self, offsets: Offsets) -> None:
        places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        await self._call(lambda: self._consumer.commit(offsets=places, asynchronous=False))

    async def close(self) -> None:
        """Leave the log."""
        await self._call(self._consumer.close)
        self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        except KafkaException as error:
            raise LogUnavailable(str(error)) from error

    def _batch(self) -> list[StoredRecord]:
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._take_new_partitions()
        messages = self._consumer.consume(RECORDS_MAX, _WAIT_SECONDS)
        records = [stored_record(message) for message in messages if message.error() is None]
        errors = [error for error in (message.error() for message in messages) if error is not None]
        if errors and not records:
            raise LogUnavailable(str(errors[0]))
        return records

    def _take_new_partitions(self) -> None:
        new = []
        for topic in MODELS:
            described = self._consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic]
            new += [(topic, number) for number in described.partitions if (topic, number) not in self._assigned]
        if new:
            self._consumer.incremental_assign(self._beginnings(new))
            self._assigned.update(new)
        self._looked_at = time.monotonic()

    def _beginnings(self, places: Sequence[tuple[str, int]]) -> list[TopicPartition]:
        committed = self._consumer.committed([TopicPartition(*place) for place in places], timeout=_TIMEOUT_SECONDS)
        known = [place for place in committed if place.offset >= 0]
        since_ms = round((time.time() - self._memory_seconds) * 1_000)
        unknown = [TopicPartition(place.topic, place.partition, since_ms) for place in committed if place.offset < 0]
        if unknown:
            # A partition that holds nothing so new is read from its end.
            known += self._consumer.offsets_for_times(unknown, timeout=_TIMEOUT_SECONDS)
        return known
