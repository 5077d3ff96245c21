"""From a command's decision to bytes in the log."""

from collections.abc import Sequence
from uuid import UUID

from gateway.endpoint import Command
from gateway.metrics import appended
from gateway.services import Services
from photolog import telemetry
from photolog.errors import Forbidden
from photolog.ids import new_event_id
from photolog.log.record import EncodedRecord, event_headers
from photolog.positions import Position
from schemas.events import Event
from schemas.serde import SCHEMAS


async def encode(services: Services, command: Command) -> tuple[EncodedRecord, ...]:
    """The records of a command: event ids drawn, personal fields sealed, headers set.

    Raises:
        Forbidden: a person whose data it would hold was erased.
        StoreUnavailable: a subject's key could not be read.
    """
    events = command.events
    event_ids = command.event_ids or tuple(new_event_id() for _ in events)
    subjects = {getattr(event, subject) for event in events for subject in SCHEMAS[type(event)].personal.values()}
    if subjects:
        await services.keyring.ensure(subjects)
        if any(services.keyring.key_of(subject) is None for subject in subjects):
            raise Forbidden("account-erased", "the account was erased")
    now = services.clock_ms()
    return tuple(_record(services, event, event_id, now) for event, event_id in zip(events, event_ids, strict=True))


async def append(services: Services, records: Sequence[EncodedRecord]) -> list[Position]:
    """Append records in order.

    Raises:
        LogUnavailable: not all were acknowledged in time; appending the same bytes again is safe.
    """
    if not records:
        return []
    positions = await services.log.append_all(records)
    for record in records:
        appended(record.topic)
    return positions


def _record(services: Services, event: Event, event_id: UUID, now_ms: int) -> EncodedRecord:
    topic = SCHEMAS[type(event)].topic
    return EncodedRecord(
        topic=topic.name,
        key=topic.key(event).encode(),
        value=services.serde.encode(event, services.keyring.key_of),
        headers=event_headers(
            event_id, event.type, now_ms, telemetry.correlation_id.get(), telemetry.current_traceparent()
        ),
        timestamp_ms=now_ms,
    )
