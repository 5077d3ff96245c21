"""Appending to the log: acknowledged by all replicas, idempotent, bounded in time."""

import asyncio
import logging
import threading
from collections.abc import Iterable
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import append_config
from photolog.log.record import EncodedRecord
from photolog.positions import Position
from photolog.settings import KafkaSettings

_POLL_SECONDS = 0.1
_QUEUE_MESSAGES_MAX = 100_000
logger = structlog.get_logger(__name__)


class LogProducer:
    """Appends records and tells where they landed.

    One thread serves delivery reports: linger is zero, because a request waits for each append, and librdkafka
    batches by itself what arrives while a batch is in flight.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._producer: Producer | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    async def start(self) -> None:
        """Create the client; it connects in the background."""
        self._producer = self._new_producer()
        self._closing.clear()
        self._thread = threading.Thread(target=self._serve, name="log-producer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Wait, bounded by the append timeout, for what is in flight, then stop."""
        if self._producer is None or self._thread is None:
            return
        await asyncio.to_thread(self._producer.flush, self._kafka.append_timeout_ms / 1000)
        self._closing.set()
        await asyncio.to_thread(self._thread.join)
        self._producer = None

    async def reach(self, seconds: float) -> None:
        """Ask the brokers for their metadata. Raises LogUnavailable where none answers in time."""
        if self._producer is None:
            raise LogUnavailable("the producer is not started")
        try:
            await asyncio.to_thread(self._producer.list_topics, timeout=seconds)
        except KafkaException as error:
            raise LogUnavailable(str(error)) from error

    async def append(self, record: EncodedRecord) -> Position:
        """Append one record.

        Raises:
            LogUnavailable: no acknowledgement came within `append_timeout_ms`. The record may be in the log all the
                same; appending the same bytes again is safe.
        """
        return await self._enqueue(record)

    async def append_all(self, records: Iterable[EncodedRecord]) -> list[Position]:
        """Append records in order; the answer comes when all are acknowledged."""
        waiting = [self._enqueue(record) for record in records]
        return list(await asyncio.gather(*waiting))

    def _enqueue(self, record: EncodedRecord) -> "asyncio.Future[Position]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Position] = loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            loop.call_soon_threadsafe(_settle, future, error, message)

        if self._producer is None:
            raise LogUnavailable("the producer is not started")
        try:
            self._producer.produce(
                record.topic,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                timestamp=record.timestamp_ms,
                on_delivery=delivered,
            )
        except (BufferError, KafkaException) as error:
            raise LogUnavailable(str(error)) from error
        return future

    def _serve(self) -> None:
        while not self._closing.is_set():
            producer = self._producer
            if producer is not None:
                producer.poll(_POLL_SECONDS)

    def _on_error(self, error: KafkaError) -> None:
        """A fatal error ends an idempotent producer for good, so a new one takes over."""
        logger.warning("log-producer-error", code=error.name(), detail=error.str(), fatal=error.fatal())
        if error.fatal():
            self._producer = self._new_producer()

    def _new_producer(self) -> Producer:
        config: dict[str, Any] = {
            **append_config(self._kafka),
            "linger.ms": 0,
            "delivery.timeout.ms": self._kafka.append_timeout_ms,
            "request.timeout.ms": self._kafka.append_timeout_ms,
            "socket.keepalive.enable": True,
            "queue.buffering.max.messages": _QUEUE_MESSAGES_MAX,
            "error_cb": self._on_error,
        }
        return Producer(config, logger=_library_logger())


def _settle(future: "asyncio.Future[Position]", error: KafkaError | None, message: Message) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(LogUnavailable(error.str()))
        return
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        future.set_exception(LogUnavailable("acknowledged without a position"))
        return
    future.set_result(Position(topic, partition, offset))


def _library_logger() -> logging.Logger:
    """librdkafka speaks to the standard logging tree instead of the process's stderr."""
    return logging.getLogger("librdkafka")
