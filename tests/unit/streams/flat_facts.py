"""What the jobs told for windows of time, read from a river's log."""

from uuid import UUID

from schemas import events as e
from tests.unit.streams.river import SERDE, River


def told(river: River, topic: str) -> dict[UUID, e.Event]:
    """The events of a topic of flat facts by their ids. A fact that was appended twice is the same fact."""
    facts: dict[UUID, e.Event] = {}
    for record in river.log.of(topic):
        event = SERDE.open_record(SERDE.parse(record.value), lambda _: None)
        event_id = UUID((record.header("ce_id") or b"").decode())
        assert facts.setdefault(event_id, event) == event
        assert record.timestamp_ms == event.at_ms  # type: ignore[attr-defined]
    return facts
