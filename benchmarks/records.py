"""Records of a benchmark, as a gateway or a job would append them, and where they landed."""

from collections.abc import Iterable

from photolog.ids import new_event_id, now_ms
from photolog.log.record import EncodedRecord, event_headers
from photolog.positions import Position
from schemas.events import Event
from schemas.serde import Serde
from schemas.topics import topic_of


def record_of(serde: Serde, event: Event, at_ms: int | None = None) -> EncodedRecord:
    """An event's record, in which nothing is sealed.

    Args:
        serde: the codec.
        event: without personal fields.
        at_ms: when it happened, Unix milliseconds; now where none is given.
    """
    topic, happened_ms = topic_of(type(event)), now_ms() if at_ms is None else at_ms
    return EncodedRecord(
        topic=topic.name,
        key=topic.key(event).encode(),
        value=serde.encode(event, lambda _: None),
        headers=event_headers(new_event_id(), event.type, happened_ms, "bench"),
        timestamp_ms=happened_ms,
    )


def ends_of(positions: Iterable[Position]) -> dict[int, int]:
    """Of each partition that was appended to, the offset behind the last of these."""
    ends: dict[int, int] = {}
    for position in positions:
        ends[position.partition] = max(position.offset + 1, ends.get(position.partition, 0))
    return ends
