"""A rule of the keeper: what is done about an event once it is so old. The order of the log is the schedule."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from photolog.log.record import StoredRecord
from photolog.positions import Position
from schemas.events import Event
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a rule's, and where it stands.

    Args:
        event: the event.
        record: its record.
    """

    event: Any
    record: StoredRecord

    @property
    def position(self) -> Position:
        """Where a read model is to be past."""
        return Position(self.record.topic, self.record.partition, self.record.offset)

    @property
    def event_id(self) -> str:
        """The event's id, as text."""
        return (self.record.header("ce_id") or b"").decode("ascii", "replace")


Delay = float | Callable[[Any], float]
"""How many seconds old an event is when its time has come, or what tells that of the event itself."""
Deed = Callable[[Told], Awaitable[None]]
"""What is done about an event. It is done at least once, and doing it again, whenever that is, ends the same.
Raises StoreUnavailable or LogUnavailable where it is to be tried again."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done when.

    Args:
        name: of the rule; its consumer group is named by it.
        topic: where its events are.
        events: their types; others are passed over.
        delay_seconds: how old an event is by then. Where each says it for itself, one that waits longer holds up those
            behind it in its partition.
        deed: what is done.
    """

    name: str
    topic: Topic
    events: tuple[type[Event], ...]
    delay_seconds: Delay
    deed: Deed

    @property
    def group(self) -> str:
        """Its consumer group, whose committed offsets are all that the rule remembers."""
        return f"photolog-keeper-{self.name}"
