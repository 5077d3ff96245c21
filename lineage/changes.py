"""The rows that an event changed, each exactly as it was before and after.

Most rows follow from the events of one record key: that key's part of the log, folded, gives them. A row that is kept
for each source partition (a count, a head of followers) is made by many keys: then the events of its partition that
name whose row it is are folded too; where the topic has grown, also what came before in any partition, because
memberships move.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from lineage.addresses import ids_of, source_of
from lineage.decoding import Happened, Opening
from lineage.ids import Naming
from lineage.reading import Log, Partitions, Placed
from lineage.tracing import Change, Standing, TooMuch, Trace, Tracing
from photolog.log.partitioner import partition_of
from projections.fold import Projection
from projections.tables import Row, RowKey


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event did to one read model.

    Args:
        projection: its name.
        standing: what became of the event.
        changes: the rows that it changed.
        inexact: those among the changes whose values leave out what other keys did, as that is too much to fold.
        first: for a repeat, the record that was applied.
    """

    projection: str
    standing: Standing
    changes: Sequence[Change]
    inexact: frozenset[RowKey[Row]] = frozenset()
    first: Happened | None = None


async def effect_of(log: Log, opening: Opening, projection: Projection, placed: Placed) -> Effect:
    """What a record did to a read model that folds its topic.

    Raises:
        LogUnavailable: the broker did not answer.
        StoreUnavailable: a key or a schema could not be fetched.
        TooMuch: one record key alone makes more rows than may be held.
    """
    trace, first = await _trace(log, opening, projection, placed)
    if trace is None:
        return Effect(projection.name, "put aside", ())
    partial = {change.key for change in trace.changes if source_of(change.key) is not None}
    whole = [change for change in trace.changes if change.key not in partial]
    try:
        exact = await _exact(log, opening, projection, placed, partial) if partial else []
    except TooMuch:
        return Effect(projection.name, trace.standing, trace.changes, frozenset(partial), first)
    return Effect(projection.name, trace.standing, [*whole, *exact], first=first)


async def key_events(
    log: Log, opening: Opening, topic: str, key: bytes, last: Placed | None = None
) -> AsyncIterator[Happened]:
    """The events of one record key, in their order, to the end of the log or to one of them.

    Raises:
        LogUnavailable, StoreUnavailable: as `effect_of`.
    """
    async for records in log.in_order(topic, lambda _, count: (partition_of(key, count),), last):
        for one in await opening.events([placed for placed in records if placed.record.key == key]):
            yield one


async def naming_events(
    log: Log,
    opening: Opening,
    topic: str,
    naming: Naming,
    partitions: Partitions,
    last: Placed | None = None,
    until_ms: int | None = None,
) -> AsyncIterator[Happened]:
    """The events of some partitions that name any of some ids, whatever their keys. Raises as `key_events`."""
    async for records in log.in_order(topic, partitions, last, until_ms):
        mentioning = [placed for placed in records if naming.any_may_be_in(placed.record)]
        for one in await opening.events(mentioning):
            if naming.any_is_in(one.recorded.event):
                yield one


async def _trace(
    log: Log, opening: Opening, projection: Projection, placed: Placed
) -> tuple[Trace | None, Happened | None]:
    """What the key's events make of a record, and for a repeat the record that was applied. No trace where the record
    is no event that a job folds."""
    tracing, trace, last, first = Tracing(projection), None, None, None
    event_id = placed.record.header("ce_id")
    async for last in key_events(log, opening, placed.record.topic, placed.record.key or b"", placed):
        trace = tracing.apply(last.recorded)
        if first is None and last.placed.record.header("ce_id") == event_id:
            first = last
    if trace is None or last is None or last.placed != placed:
        return None, None
    return trace, first if trace.standing == "repeat" else None


async def _exact(
    log: Log, opening: Opening, projection: Projection, placed: Placed, rows: Collection[RowKey[Row]]
) -> list[Change]:
    """What a record did to rows of its source partition, told by all that made them."""
    naming = Naming(ids_of(key)[0] for key in rows)
    tracing, trace = Tracing(projection, kept=rows.__contains__), None
    async for one in naming_events(log, opening, placed.record.topic, naming, lambda _, count: range(count), placed):
        trace = tracing.apply(one.recorded)
    return [change for change in trace.changes if change.key in rows] if trace else []
