"""Events that jobs and workers append because of a record: the same conclusion always carries the same event id."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from photolog.log.record import EncodedRecord, StoredRecord, event_headers
from schemas.events import Event
from schemas.serde import SCHEMAS, Serde
from schemas.topics import topic_of

_NAMESPACE = uuid5(NAMESPACE_URL, "photolog:events")


@dataclass(frozen=True, slots=True)
class DerivedEvent:
    """An event to append.

    Args:
        event: without personal fields.
        identity: what was concluded about; the same identity is the same event, however often it is appended.
        timestamp_ms: when it happened, Unix milliseconds.
        cause: the record that led to it; its event is named, correlation and trace are carried on.
    """

    event: Event
    identity: str
    timestamp_ms: int
    cause: StoredRecord

    @property
    def event_id(self) -> UUID:
        """The event's id (UUIDv5)."""
        return uuid5(_NAMESPACE, f"{self.event.capability}/{self.identity}")


def derived_record(serde: Serde, derived: DerivedEvent) -> EncodedRecord:
    """The record of a derived event.

    Raises:
        TypeError: the event type holds personal fields, which nobody but a command may append.
    """
    event = derived.event
    if SCHEMAS[type(event)].personal:
        raise TypeError(f"{event.type} holds personal fields")
    topic = topic_of(type(event))
    correlation, trace = derived.cause.header("correlation_id"), derived.cause.header("traceparent")
    return EncodedRecord(
        topic=topic.name,
        key=topic.key(event).encode(),
        value=serde.encode(event, lambda _: None),
        headers=event_headers(
            derived.event_id,
            event.type,
            derived.timestamp_ms,
            (correlation or b"").decode(errors="replace"),
            trace.decode(errors="replace") if trace else None,
            derived.cause.header("ce_id"),
        ),
        timestamp_ms=derived.timestamp_ms,
    )
