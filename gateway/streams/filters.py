"""What a subscriber wants of what it may have."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from gateway.vault.port import GrantRow
from photolog.errors import Forbidden, Invalid
from schemas.events import Event
from schemas.topics import TOPICS, Topic, topic_of

PUBLIC: dict[str, type[Event]] = {event.type: event for topic in TOPICS for event in topic.events if event.analysts}
"""The event types that may be granted, by name, in the order of topics."""
PUBLIC_TOPICS: tuple[Topic, ...] = tuple(topic for topic in TOPICS if any(event.analysts for event in topic.events))
_WHOLE = float(1 << 64)


@dataclass(frozen=True)
class Filter:
    """Which events, and what share of them.

    Args:
        types: names of event types, in `PUBLIC`'s order.
        sample: the share, above 0 and up to 1. Whether an event is in it depends on its id alone, so that a smaller
            share is part of a larger one, and the same for everybody.
    """

    types: tuple[str, ...]
    sample: float

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """The topics that it needs."""
        wanted = {topic_of(PUBLIC[name]).name for name in self.types}
        return tuple(topic.name for topic in PUBLIC_TOPICS if topic.name in wanted)

    def takes(self, event_type: str, chance: float) -> bool:
        """Whether an event is wanted; `chance` is its `chance_of`."""
        return event_type in self.types and chance < self.sample


def chance_of(event_id: UUID) -> float:
    """Where an event stands between 0 and 1: it is in every sample whose share is greater."""
    return int.from_bytes(hashlib.blake2b(event_id.bytes, digest_size=8, person=b"sample").digest(), "big") / _WHOLE


def types_named(text: str) -> tuple[str, ...]:
    """Event types from a list with commas.

    Raises:
        Invalid: one is not a type that analysts may have.
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - PUBLIC.keys())
    if unknown or not names:
        raise Invalid("unknown-event-type", f"no such public event type: {', '.join(unknown) or 'none'}", "types")
    return tuple(name for name in PUBLIC if name in names)


def wanted(grant: GrantRow, types: str | None, sample: float | None) -> Filter:
    """The filter of a subscription.

    Args:
        grant: what may be had.
        types: names with commas; None for all that is granted.
        sample: the share; None for the largest that is granted.

    Raises:
        Invalid: a type is unknown.
        Forbidden: a type is not granted, or not so much of it.
    """
    granted = tuple(name for name in PUBLIC if name in grant.types)
    names = granted if types is None else types_named(types)
    beyond = [name for name in names if name not in granted]
    if beyond or not names:
        raise Forbidden("not-granted", f"the grant does not cover {', '.join(beyond) or 'any type'}", "types")
    share = grant.sample_max if sample is None else sample
    if share > grant.sample_max:
        raise Forbidden("not-granted", f"the grant covers a share of {grant.sample_max:g} at most", "sample")
    return Filter(names, share)
