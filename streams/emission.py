"""Appending the events that jobs decide: the same decision always carries the same event id."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from photolog.log.record import EncodedRecord, StoredRecord, event_headers
from schemas.events import Event
from schemas.serde import SCHEMAS, Serde
from schemas.topics import topic_of
from streams import metrics
from streams.step import Log, Outputs

_NAMESPACE = uuid5(NAMESPACE_URL, "photolog:events")


@dataclass(frozen=True, slots=True)
class Emission:
    """An event to append.

    Args:
        event: without personal fields.
        identity: what the decision is about; the same identity is the same event, however often it is appended.
        timestamp_ms: when it happened, Unix milliseconds.
        cause: the record that led to it; correlation and trace are carried on.
    """

    event: Event
    identity: str
    timestamp_ms: int
    cause: StoredRecord

    @property
    def event_id(self) -> UUID:
        """The event's id."""
        return uuid5(_NAMESPACE, f"{self.event.type}/{self.identity}")


class Emitter:
    """Appends decided and derived events."""

    def __init__(self, log: Log, serde: Serde) -> None:
        self._log = log
        self._serde = serde

    async def emit(self, emissions: Sequence[Emission]) -> Outputs:
        """Append in order; answers when all are acknowledged, with the offset behind the last in each partition.

        Raises:
            LogUnavailable: not all were acknowledged; doing it again is safe.
        """
        if not emissions:
            return {}
        positions = await self._log.append_all([self._record(emission) for emission in emissions])
        outputs: dict[tuple[str, int], int] = {}
        for position in positions:
            place = (position.topic, position.partition)
            outputs[place] = max(position.offset + 1, outputs.get(place, 0))
        for emission in emissions:
            metrics.EMITTED.labels(emission.event.type).inc()
        return outputs

    def _record(self, emission: Emission) -> EncodedRecord:
        event = emission.event
        if SCHEMAS[type(event)].personal:
            raise TypeError(f"{event.type} holds personal fields, which a job may not append")
        topic = topic_of(type(event))
        correlation, trace = emission.cause.header("correlation_id"), emission.cause.header("traceparent")
        return EncodedRecord(
            topic=topic.name,
            key=topic.key(event).encode(),
            value=self._serde.encode(event, lambda _: None),
            headers=event_headers(
                emission.event_id,
                event.type,
                emission.timestamp_ms,
                (correlation or b"").decode(errors="replace"),
                trace.decode(errors="replace") if trace else None,
            ),
            timestamp_ms=emission.timestamp_ms,
        )
