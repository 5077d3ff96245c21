"""Appending many records at a time, each batch acknowledged before the next."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import LOG_LEVEL, append_config
from photolog.settings import KafkaSettings

_SECONDS = 30.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Appended:
    """A record to append.

    Args:
        topic: the topic's name.
        partition: the partition; None for that of the key.
        key: the partition key; None where it has none.
        value: the bytes; None for a tombstone.
        headers: in order.
        timestamp_ms: Unix milliseconds. The client takes 0 for "now".
    """

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    timestamp_ms: int


class BulkProducer:
    """Appends batches. When one fails, what was appended of each partition is the batch's beginning.

    Args:
        kafka: the log.
        connect: makes the client.
    """

    def __init__(self, kafka: KafkaSettings, connect: Callable[[dict[str, Any]], Any] = Producer) -> None:
        self._client = connect(
            {
                **append_config(kafka),
                # A key's record must not be appended behind one that failed: what is refused takes those behind it
                # along, and no record is given up by itself, but the whole batch is.
                "enable.gapless.guarantee": True,
                "message.timeout.ms": 0,
                # The client warns that the guarantee is young.
                "log_level": LOG_LEVEL - 1,
                "linger.ms": 5,
                "queue.buffering.max.kbytes": 65_536,
            }
        )

    async def append(self, records: Sequence[Appended]) -> None:
        """Append a batch; returns when all of it is acknowledged.

        Raises:
            LogUnavailable: it is not; any part of it may be in the log. The producer is of no use any more.
        """
        await asyncio.to_thread(self._append, records)

    def _append(self, records: Sequence[Appended]) -> None:
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        try:
            for record in records:
                self._produce(record, delivered)
            left = self._client.flush(_SECONDS)
            if left:
                self._client.purge()
        except KafkaException as error:
            raise LogUnavailable(f"Kafka: {error}") from error
        if failures or left:
            reason = failures[0].str() if failures else f"not acknowledged within {_SECONDS:g} s"
            raise LogUnavailable(f"{len(failures) + left} of {len(records)} records were not appended: {reason}")

    def _produce(self, record: Appended, delivered: Callable[[KafkaError | None, Message], None]) -> None:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self._client.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=-1 if record.partition is None else record.partition,
                    headers=list(record.headers),
                    timestamp=max(record.timestamp_ms, 0),
                    on_delivery=delivered,
                )
            except BufferError as error:
                # Large records fill the client's queue before the batch is through.
                if time.monotonic() > deadline:
                    raise LogUnavailable("the client's queue did not drain") from error
                self._client.poll(_POLL_SECONDS)
            else:
                return
