"""The story of an event, from the request to the rows, and that of a row: what is told of them, piece by piece."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from lineage.addresses import format_row
from lineage.changes import Effect, effect_of
from lineage.decoding import Opening, event_id_of
from lineage.derived import cause_of, find_derived
from lineage.finding import find_event
from lineage.reading import Log, Placed
from lineage.row_history import RowHistory
from lineage.tracing import Change, TooMuch
from photolog.log.record import StoredRecord
from photolog.positions import Position
from photolog.timestamps import rfc3339
from projections.catalogue import PROJECTIONS
from projections.tables import Row
from schemas.events import Event
from schemas.viewing import shown_value

DERIVED_TRACED_MAX = 10
"""Of so many derived events the rows are worked out too; each takes a pass over its key's part of the log."""


class EventTold(msgspec.Struct, frozen=True, kw_only=True, tag="event", tag_field="told"):
    """An event.

    Args:
        depth: 0 for the one that was asked for, 1 for what follows from it directly, and so on.
        position: where it is in the log.
        time: when it happened.
        event_id: its id.
        type: its type; null where the record is no event.
        key: its record key.
        correlation_id: the request's, which everything that follows from it carries.
        traceparent: the request's trace, where it had one.
        cause: the event that led to it, where a job appended it.
        fields: what it says; ids are strings.
    """

    depth: int
    position: str
    time: str
    event_id: str
    type: str | None
    key: str
    correlation_id: str
    traceparent: str | None
    cause: str | None
    fields: Mapping[str, Any]


class EffectTold(msgspec.Struct, frozen=True, kw_only=True, tag="effect", tag_field="told"):
    """What a read model made of an event: `applied`, `no effect`, `repeat` of the event at `first`, or `put aside`."""

    event_id: str
    projection: str
    standing: str
    first: str | None


class RowTold(msgspec.Struct, frozen=True, kw_only=True, tag="row", tag_field="told"):
    """A row that an event changed; null is an absent one. `exact` is false where what others did is left out."""

    event_id: str
    row: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    exact: bool = True


class Note(msgspec.Struct, frozen=True, kw_only=True, tag="note", tag_field="told"):
    """Something about the search itself."""

    text: str


class RowStateTold(msgspec.Struct, frozen=True, kw_only=True, tag="state", tag_field="told"):
    """What a row is now, by the log."""

    row: str
    state: Mapping[str, Any] | None


Told = EventTold | EffectTold | RowTold | RowStateTold | Note


async def event_story(log: Log, opening: Opening, event_id: UUID, within_ms: int) -> AsyncIterator[Told]:
    """An event, what it changed, and what followed from it.

    Args:
        log: the log.
        opening: makes events of records.
        event_id: the event.
        within_ms: how long after it to look for what followed.

    Raises:
        NotFound: the log has no such event.
        LogUnavailable, StoreUnavailable: the log, a key or a schema could not be read.
    """
    found = await find_event(log, event_id)
    yield Note(text=f"found {found.looked}")
    async for told in _told(log, opening, found.placed, 0):
        yield told
    search = await find_derived(log, found.placed, within_ms)
    for number, derived in enumerate(search.derived):
        if number < DERIVED_TRACED_MAX:
            async for told in _told(log, opening, derived.placed, derived.depth):
                yield told
        else:
            yield await event_told(opening, derived.placed, derived.depth)
    if len(search.derived) > DERIVED_TRACED_MAX:
        yield Note(
            text=f"rows are told of the first {DERIVED_TRACED_MAX} derived events; ask for the others by their ids"
        )
    yield Note(text=f"what followed was looked for among what the log holds up to {rfc3339(search.until_ms)}")
    if search.cut:
        yield Note(text="there were more derived events than may be held: some are missing")


async def row_story(history: RowHistory, row: str) -> AsyncIterator[Told]:
    """What made a row, told event by event."""
    if history.left_out:
        yield Note(text=f"{history.left_out} earlier events are left out; --limit shows more")
    for step in history.steps:
        yield _event(step.happened.placed.record, step.happened.recorded.event, 0)
        yield _row_told(str(step.happened.recorded.event_id), row, step.change)
    if not history.steps:
        yield Note(text="no event in the log ever made this row")
    yield RowStateTold(row=row, state=shown(history.row))


async def _told(log: Log, opening: Opening, placed: Placed, depth: int) -> AsyncIterator[Told]:
    yield await event_told(opening, placed, depth)
    for projection in PROJECTIONS:
        if placed.record.topic not in {topic.name for topic in projection.topics}:
            continue
        event_id = str(event_id_of(placed))
        try:
            effect = await effect_of(log, opening, projection, placed)
        except TooMuch as error:
            yield Note(text=f"what {event_id} did to {projection.name} is not told: {error}")
            continue
        for told in _effect_told(event_id, effect):
            yield told


def _effect_told(event_id: str, effect: Effect) -> Sequence[Told]:
    first = _position(effect.first.placed.record) if effect.first else None
    told: list[Told] = [
        EffectTold(event_id=event_id, projection=effect.projection, standing=effect.standing, first=first)
    ]
    for change in effect.changes:
        row = format_row(effect.projection, change.key)
        told.append(_row_told(event_id, row, change, exact=change.key not in effect.inexact))
    return told


def _row_told(event_id: str, row: str, change: Change, exact: bool = True) -> RowTold:
    return RowTold(event_id=event_id, row=row, before=shown(change.before), after=shown(change.after), exact=exact)


async def event_told(opening: Opening, placed: Placed, depth: int) -> EventTold:
    """An event as it is told."""
    happened = await opening.events([placed])
    return _event(placed.record, happened[0].recorded.event if happened else None, depth)


def _event(record: StoredRecord, event: Event | None, depth: int) -> EventTold:
    cause = cause_of(record)
    return EventTold(
        depth=depth,
        position=_position(record),
        time=rfc3339(max(0, record.timestamp_ms)),
        event_id=_text(record.header("ce_id")),
        type=None if event is None else event.type,
        key=_text(record.key),
        correlation_id=_text(record.header("correlation_id")),
        traceparent=_text(record.header("traceparent")) or None,
        cause=None if cause is None else str(cause),
        fields={} if event is None else _shown_all(msgspec.to_builtins(event)),
    )


def shown(row: Row | None) -> Mapping[str, Any] | None:
    """The visible fields of a row. What a row keeps as JSON is shown as such, and ids are strings, as in all JSON of
    ours."""
    if row is None:
        return None
    values = msgspec.structs.asdict(row)
    return _shown_all({name: json.loads(held) if isinstance(held, bytes) else held for name, held in values.items()})


def _shown_all(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shown_value(name, value) for name, value in values.items()}


def _position(record: StoredRecord) -> str:
    return str(Position(record.topic, record.partition, record.offset))


def _text(held: bytes | None) -> str:
    return (held or b"").decode(errors="backslashreplace")
