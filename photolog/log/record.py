"""Records as they stand in the log, and the CloudEvents headers that travel with them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import msgspec

SOURCE = "photolog"


class EncodedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record ready to be appended; a retry appends these very bytes.

    Args:
        topic: the topic's name.
        key: the partition key.
        value: the framed value.
        headers: CloudEvents attributes and trace context, in order.
        timestamp_ms: when the action happened, Unix milliseconds.
    """

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int

    @property
    def event_id(self) -> UUID:
        """The id of its event."""
        return UUID(dict(self.headers)["ce_id"].decode())


class StoredRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as a consumer reads it; any part may be missing or foreign."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int

    def header(self, name: str) -> bytes | None:
        """The first header of this name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


def event_headers(
    event_id: UUID,
    event_type: str,
    timestamp_ms: int,
    correlation_id: str,
    traceparent: str | None = None,
    causation_id: bytes | None = None,
) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents 1.0 attributes in Kafka's binary mode, W3C trace context, our correlation id, and for a derived event
    the id of the event that led to it."""
    at = datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_time", at.encode()),
        ("content-type", b"application/avro"),
        ("correlation_id", correlation_id.encode()),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    if causation_id:
        headers.append(("causation_id", causation_id))
    return tuple(headers)


def by_partition(records: Iterable[StoredRecord]) -> dict[int, list[StoredRecord]]:
    """The records of one topic, those of each partition in their order."""
    found: dict[int, list[StoredRecord]] = {}
    for record in records:
        found.setdefault(record.partition, []).append(record)
    return found
