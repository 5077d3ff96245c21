"""From records to what anybody may know of them: each record is decoded once, and judged with its whole batch."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from gateway.public_events import PublicView
from gateway.streams.filters import PUBLIC_TOPICS, chance_of
from photolog.errors import LogUnavailable, PositionTimeout, StoreUnavailable, UndecodableRecord
from photolog.log.record import StoredRecord
from projections.fold import Recorded
from schemas.events import Event
from schemas.serde import Serde

_PAUSE_SECONDS = 0.5
_TOPICS = frozenset(topic.name for topic in PUBLIC_TOPICS)
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Public:
    """A public event. `chance` is its place between 0 and 1 among samples."""

    event: Event
    event_id: UUID
    at_ms: int
    chance: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A record's place in the log, and the event where it is a public one."""

    place: tuple[str, int]
    offset: int
    public: Public | None


class Lens:
    """Looks at records.

    Args:
        serde: decodes them; personal fields stay sealed, no key is ever asked for.
        view: tells what is public.
    """

    def __init__(self, serde: Serde, view: PublicView) -> None:
        self._serde = serde
        self._view = view

    async def look(self, records: Sequence[StoredRecord]) -> list[Seen]:
        """What is to be seen of records, in their order.

        Raises:
            PositionTimeout, StoreUnavailable, LogUnavailable: it cannot be told at the moment.
        """
        # In a thread, because a schema that was never seen is asked for at the registry.
        decoded = await asyncio.to_thread(lambda: [self._decoded(record) for record in records])
        events = [one for one in decoded if one is not None]
        public = dict(zip(map(id, events), await self._view.of(events) if events else (), strict=True))
        return [
            Seen((record.topic, record.partition), record.offset, _public(one, public[id(one)]) if one else None)
            for record, one in zip(records, decoded, strict=True)
        ]

    async def look_until_told(self, records: Sequence[StoredRecord], tries_max: int | None = None) -> list[Seen]:
        """As `look`, again and again while it cannot be told; up to so many times, where a number is given."""
        tries = 0
        while True:
            try:
                return await self.look(records)
            except (PositionTimeout, StoreUnavailable, LogUnavailable) as error:
                tries += 1
                if tries == tries_max:
                    raise
                logger.warning("stream-waits", cause=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)

    def _decoded(self, record: StoredRecord) -> Recorded | None:
        """The event of a record that may be served; what jobs put aside as a dead letter is nothing here."""
        header = record.header("ce_id")
        if record.topic not in _TOPICS or header is None:
            return None
        try:
            sealed = self._serde.parse(record.value)
            if not sealed.schema.event.analysts or sealed.schema.topic.name != record.topic:
                return None
            event, event_id = self._serde.open_record(sealed, lambda _: None), UUID(header.decode("ascii"))
        except (UndecodableRecord, ValueError):
            return None
        return Recorded(event, event_id, record.topic, record.partition, record.offset, record.timestamp_ms)


def _public(recorded: Recorded, event: Event | None) -> Public | None:
    if event is None:
        return None
    return Public(event, recorded.event_id, recorded.timestamp_ms, chance_of(recorded.event_id))
