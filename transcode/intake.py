"""Reading a topic for a worker: a consumer group with offsets committed by hand, polled from a thread of its own."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from photolog.log.kafka_config import client_config
from photolog.settings import KafkaSettings
from schemas.topics import MEDIA_REQUESTED, Topic
from transcode.progress import Place, Progress

GROUP = "photolog-transcode"
POLL_SECONDS = 0.1
_COMMIT_SECONDS = 0.5
_WATERMARK_SECONDS = 2.0
T = TypeVar("T")
logger = structlog.get_logger(__name__)


class Intake:
    """The group's member of this process.

    The broker is polled also while there is no room for more, with all partitions paused, so that the group never
    takes a busy worker for a dead one. A partition whose next record is to wait is held, and the others go on.

    Args:
        kafka: the log.
        group: the consumer group.
        topic: what it reads.
    """

    def __init__(self, kafka: KafkaSettings, group: str = GROUP, topic: Topic = MEDIA_REQUESTED) -> None:
        self.progress = Progress()
        self._topic = topic.name
        self._config = _config(kafka, group)
        self._consumer: Any = None
        # One thread: the client's calls take turns.
        self._thread = ThreadPoolExecutor(1, "intake")
        self._held: set[Place] = set()
        self._paused: set[Place] = set()
        self._committed: dict[Place, int] = {}
        self._commit_at = 0.0

    async def open(self) -> None:
        """Join the group; it connects in the background."""
        self._consumer = Consumer(self._config)
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked)

    async def poll(self, *, room: bool) -> "Message[Any, Any] | None":
        """The next record, None where none came within `POLL_SECONDS` or there is no room for one. Commits what is
        finished, now and then.

        Raises:
            KafkaException: the client cannot go on.
        """
        message = await self._call(self._poll, room)
        error = message.error() if message is not None else None
        if error is None:
            return message
        if error.fatal():
            raise KafkaException(error)
        logger.warning("intake", code=error.name(), detail=error.str())
        return None

    def hold(self, place: Place) -> None:
        """Read nothing more of a partition until it is released, or another worker's."""
        self._held.add(place)

    def release(self, place: Place) -> None:
        """Go on with a partition."""
        self._held.discard(place)

    def holds(self, place: Place) -> bool:
        """Whether a partition is held, and still this worker's."""
        return place in self._held

    async def lags(self) -> dict[Place, int]:
        """For each partition of ours how many records are not finished."""
        return await self._call(self._lags)

    async def close(self) -> None:
        """Commit what is finished and leave the group."""
        await self._call(self._commit, self.progress.committable())
        await self._call(self._consumer.close)
        self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _poll(self, room: bool) -> "Message[Any, Any] | None":
        self._pause(room)
        if time.monotonic() >= self._commit_at:
            self._commit_at = time.monotonic() + _COMMIT_SECONDS
            self._commit_finished()
        message: Message[Any, Any] | None = self._consumer.poll(POLL_SECONDS)
        return message

    def _pause(self, room: bool) -> None:
        """Have those partitions paused that are to be, and no others."""
        if room and self._paused == self._held:
            return
        ours = {(partition.topic, partition.partition) for partition in self._consumer.assignment()}
        wanted = self._held & ours if room else ours
        if rest := wanted - self._paused:
            self._consumer.pause([TopicPartition(*place) for place in rest])
        if back := (self._paused & ours) - wanted:
            self._consumer.resume([TopicPartition(*place) for place in back])
        self._paused = wanted

    def _commit_finished(self) -> None:
        finished = self.progress.committable()
        offsets = {place: offset for place, offset in finished.items() if self._committed.get(place) != offset}
        if offsets:
            self._consumer.commit(offsets=_offsets(offsets), asynchronous=True)
            self._committed |= offsets

    def _lags(self) -> dict[Place, int]:
        partitions = self._consumer.assignment()
        finished = self.progress.committable()
        lags = {}
        for partition in self._consumer.committed(partitions, timeout=_WATERMARK_SECONDS) if partitions else ():
            low, high = self._consumer.get_watermark_offsets(partition, timeout=_WATERMARK_SECONDS)
            begun = max(partition.offset, low)
            lags[partition.topic, partition.partition] = high - finished.get(
                (partition.topic, partition.partition), begun
            )
        return lags

    def _assigned(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        logger.info("intake-assigned", partitions=sorted(partition.partition for partition in partitions))
        # What is assigned begins unpaused.
        self._paused.difference_update((partition.topic, partition.partition) for partition in partitions)

    def _revoked(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        places = [(partition.topic, partition.partition) for partition in partitions]
        self._commit(self.progress.committable(places))
        self.progress.forget(places)
        for place in places:
            self._committed.pop(place, None)
            self._held.discard(place)
            self._paused.discard(place)

    def _commit(self, offsets: dict[Place, int]) -> None:
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=_offsets(offsets), asynchronous=False)
        except KafkaException as error:
            # Another worker does again what was not committed, and gives the same answers.
            logger.warning("intake-not-committed", error=str(error))


def _offsets(offsets: dict[Place, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def _config(kafka: KafkaSettings, group: str) -> dict[str, Any]:
    return {
        **client_config(kafka),
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": round(kafka.session_seconds * 1_000),
        "heartbeat.interval.ms": round(kafka.session_seconds * 300),
        # Requests are small, and another worker should have those that this one does not get to.
        "queued.min.messages": 100,
        "fetch.queue.backoff.ms": 5,
        "topic.metadata.refresh.interval.ms": round(kafka.metadata_seconds * 1_000),
    }
