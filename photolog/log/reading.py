"""Records as librdkafka hands them over."""

from collections.abc import Iterable
from typing import Any, cast

from confluent_kafka import Message

from photolog.log.record import StoredRecord


def stored_record(message: "Message[Any, Any]") -> StoredRecord:
    """A consumed message as a record.

    Raises:
        ValueError: the message is an event of the client's and no record.
    """
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if message.error() is not None or topic is None or partition is None or offset is None:
        raise ValueError(f"no record: {message.error()}")
    # A consumer gives pairs of a name and bytes; the other forms are a producer's.
    headers = cast(Iterable[tuple[str, bytes | None]], message.headers() or ())
    return StoredRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        key=message.key(),
        value=message.value(),
        headers=tuple(headers),
        timestamp_ms=message.timestamp()[1],
    )
