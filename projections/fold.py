"""The one way in which events become rows, whichever engine runs it: `(state, event) -> (state, writes)`.

State is the rows themselves. An event is applied only if it is newer than what its aggregate's row holds and its id
is not among those the row remembers; a row that is already at or past the event's place is not written again.
So any stretch of a partition can be folded again, from any earlier point, and ends in the same rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import msgspec

from photolog.log.growth import place_of
from projections.tables import R, Row, RowKey
from projections.writes import ABSENT, Kept, Positioned, Put, Remove, Write
from schemas.events import Event
from schemas.topics import Topic

REMEMBERED_MS = 2 * 86_400_000  # twice a reservation's life
REMEMBERED_MAX = 512


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event with its place and time in the log; `epoch` counts how often its topic had grown by then."""

    event: Event
    event_id: UUID
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    epoch: int = 0

    @property
    def place(self) -> int:
        """Its place among the events of its key, also where the topic has grown and the key has moved."""
        return place_of(self.epoch, self.offset)


def unfoldable(projection: str, event: Event) -> TypeError:
    """What a projection raises for an event that none of its topics carries."""
    return TypeError(f"{projection} does not fold {event.type}")


class Rows:
    """The rows that a projection asked for, typed by their keys."""

    def __init__(self, kept: Mapping[RowKey[Row], Kept]) -> None:
        self._kept = kept

    def get(self, key: RowKey[R]) -> R | None:
        """The row at a key that `reads` or `aggregate` named. Raises KeyError for any other key."""
        return self._kept[key].row  # type: ignore[return-value]  # the key's table fixes the row's type


class Projection(Protocol):
    """A read model's pure definition, one for each aggregate."""

    @property
    def name(self) -> str:
        """The read model's name: positions, metrics and commands use it."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics that it folds."""

    def aggregate(self, recorded: Recorded) -> RowKey[Row]:
        """The row that decides about the event; it has one source partition."""

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Other rows that `project` looks at."""

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """What the event changes, given the rows. An event that changes nothing gives no writes."""


@dataclass(slots=True)
class Outcome:
    """What became of a batch.

    Args:
        others: the newest write of each row that is no aggregate's; to be written first.
        aggregates: the newest write of each aggregate's row; to be written last.
        applied: how many events were folded, those without effect included.
        repeats: how many wrote nothing.
        duplicates: offsets of those repeats that had been applied at another offset.
        noops: offsets of the events without effect.
        effective: offsets of the events with one.
    """

    others: dict[RowKey[Row], Positioned] = field(default_factory=dict)
    aggregates: dict[RowKey[Row], Positioned] = field(default_factory=dict)
    applied: int = 0
    repeats: int = 0
    duplicates: set[int] = field(default_factory=set)
    noops: set[int] = field(default_factory=set)
    effective: set[int] = field(default_factory=set)


def needed(projection: Projection, recorded: Recorded) -> tuple[RowKey[Row], ...]:
    """All rows that folding the event needs."""
    return (projection.aggregate(recorded), *projection.reads(recorded))


def fold_one(
    projection: Projection, state: Mapping[RowKey[Row], Kept], recorded: Recorded
) -> tuple[dict[RowKey[Row], Kept], tuple[Positioned, ...]]:
    """Fold one event.

    Args:
        projection: the read model.
        state: what the store holds at `needed(...)` keys; more does no harm.
        recorded: the event.

    Returns:
        The rows that changed, and the writes that change them, the aggregate's row last. Both are empty for an
        event that was applied before. An event without effect still writes its aggregate's row, which remembers it:
        its repeat at a later offset must not have an effect either.
    """
    aggregate = projection.aggregate(recorded)
    before = state.get(aggregate, ABSENT)
    if before.offset >= recorded.place or recorded.event_id in before.event_ids:
        return {}, ()
    remembered = _remember(before.event_ids, recorded)
    changed = {}
    writes = []
    for change in _aggregate_last(aggregate, before, projection.project(Rows(state), recorded)):
        own = change.key == aggregate
        if not own and state.get(change.key, ABSENT).offset >= recorded.place:
            continue
        event_ids = remembered if own else ()
        changed[change.key] = Kept(change.row if isinstance(change, Put) else None, recorded.place, event_ids)
        writes.append(Positioned(change, recorded.place, event_ids))
    return changed, tuple(writes)


def fold_batch(projection: Projection, state: dict[RowKey[Row], Kept], batch: Iterable[Recorded]) -> Outcome:
    """Fold records of one partition, in order. `state` is brought up to date in place."""
    outcome = Outcome()
    for recorded in batch:
        changed, writes = fold_one(projection, state, recorded)
        if not writes:
            outcome.repeats += 1
            if state.get(projection.aggregate(recorded), ABSENT).offset < recorded.place:
                outcome.duplicates.add(recorded.offset)
            continue
        if len(writes) == 1 and changed[writes[0].write.key].row is state.get(writes[0].write.key, ABSENT).row:
            outcome.noops.add(recorded.offset)
        else:
            outcome.effective.add(recorded.offset)
        state.update(changed)
        outcome.applied += 1
        for write in writes[:-1]:
            outcome.others[write.write.key] = write
        outcome.aggregates[writes[-1].write.key] = writes[-1]
    return outcome


def _aggregate_last(aggregate: RowKey[Row], before: Kept, changes: Sequence[Write]) -> list[Write]:
    others = [change for change in changes if change.key != aggregate]
    own = [change for change in changes if change.key == aggregate]
    unchanged: Write = Remove(aggregate) if before.row is None else Put(aggregate, before.row)
    return others + (own or [unchanged])


def _remember(event_ids: tuple[UUID, ...], recorded: Recorded) -> tuple[UUID, ...]:
    """Ids that a retry could still repeat. UUIDv7 holds its milliseconds in its first 48 bits (RFC 9562); what a job
    concluded has a UUIDv5, which tells no time."""
    oldest_ms = recorded.timestamp_ms - REMEMBERED_MS
    alive = [event_id for event_id in event_ids if event_id.version != 7 or event_id.int >> 80 >= oldest_ms]
    return (*alive, recorded.event_id)[-REMEMBERED_MAX:]
