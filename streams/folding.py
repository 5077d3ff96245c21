"""Work of a projection with rows: load, fold, tell effects, write the rows, write the caches through, react."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import structlog

from photolog.ids import now_ms
from photolog.log.record import StoredRecord
from projections.fold import Outcome, Projection, Recorded, fold_batch, fold_one, needed
from projections.stores.port import CacheWrite, RowStore, VersionedCache
from projections.tables import R, Row, RowKey
from projections.writes import ABSENT, Kept
from streams import metrics
from streams.decoding import Dead
from streams.step import Batch, Done, Outputs

NEWS_MS = 60_000
logger = structlog.get_logger(__name__)

CacheForm = Callable[[RowKey[Row], Kept, bool], Sequence[CacheWrite]]
"""The cached forms of a row, and whether nothing ever was there before: `projections.cards.cache_writes`."""


def _uncached(key: RowKey[Row], kept: Kept, born: bool) -> Sequence[CacheWrite]:
    return ()


State = Mapping[RowKey[Row], Kept]


@dataclass(frozen=True, slots=True)
class Folded:
    """A batch whose rows are written.

    Args:
        batch: the events, those that had been applied before included.
        state: the rows that the events name, as they are now.
    """

    batch: Batch
    state: State

    def row(self, key: RowKey[R]) -> R | None:
        """The row at a key that the batch's events name, as it is after the batch."""
        return cast(R | None, self.state.get(key, ABSENT).row)  # the key's table fixes the row's type

    def cause(self, recorded: Recorded) -> StoredRecord:
        """The record of one of the batch's events."""
        return self.batch.records[recorded.offset]


class Reaction(Protocol):
    """What else follows from a batch once its rows are written. It may be asked again for the same batch."""

    async def react(self, folded: Folded) -> Outputs:
        """Do it; answers where appended events landed."""


class Announcement(Protocol):
    """What is told of a batch's events that have an effect, before any row is written."""

    async def announce(self, folded: Folded, effective: Collection[int]) -> Outputs:
        """Do it; answers where appended events landed.

        Args:
            folded: the batch, with its rows as they are about to be.
            effective: offsets of the events that change something.
        """


class Reactions:
    """Several reactions, one after the other."""

    def __init__(self, *reactions: Reaction) -> None:
        self._reactions = reactions

    async def react(self, folded: Folded) -> Outputs:
        """Do all of them."""
        outputs: Outputs = {}
        for reaction in self._reactions:
            outputs = behind_both(outputs, await reaction.react(folded))
        return outputs


class Folding:
    """The work of one projection.

    Caches are written before reactions, because a reaction makes others look at the caches. They are written from
    the rows of every event of the batch, of repeats too: a crash may have come between the rows and the caches.

    Whether an event has an effect is known as long as its rows are not written, and not any more afterwards. So what is
    said of those that have one is appended first, and a crash behind it appends it again, under the same ids.

    Args:
        projection: the pure fold.
        rows: its store.
        cache: the caches of its rows; None where rows are all that is wanted.
        cache_form: the cached forms of a row.
        reaction: what follows; None for nothing.
        clock_ms: Unix milliseconds.
        announcement: what is told of events with an effect; None for nothing.
    """

    def __init__(
        self,
        projection: Projection,
        rows: RowStore,
        cache: VersionedCache | None = None,
        cache_form: CacheForm = _uncached,
        reaction: Reaction | None = None,
        clock_ms: Callable[[], int] = now_ms,
        announcement: Announcement | None = None,
    ) -> None:
        self._clock_ms = clock_ms
        self._announcement = announcement
        self._projection = projection
        self._rows = rows
        self._cache = cache
        self._cache_form = cache_form
        self._reaction = reaction

    async def do(self, batch: Batch) -> Done:
        """Fold the batch's events and let the rest follow."""
        plan = _Plan(self._projection, batch)
        state = await self._rows.load(list(plan.keys)) if plan.keys else {}
        unborn = {key for key, kept in state.items() if kept.offset < 0} if self._is_news(batch) else set()
        outcome = plan.fold(state)
        folded = Folded(Batch(batch.source, plan.events, batch.records), state)
        outputs: Outputs = {}
        if self._announcement is not None and outcome.effective:
            outputs = await self._announcement.announce(folded, outcome.effective)
        await self._rows.apply([list(outcome.others.values()), list(outcome.aggregates.values())])
        await self._write_through(state, unborn)
        if self._reaction is not None and plan.events:
            outputs = behind_both(outputs, await self._reaction.react(folded))
        metrics.APPLIED.labels(self._projection.name).inc(outcome.applied)
        metrics.REPEATS.labels(self._projection.name).inc(outcome.repeats)
        return Done(outputs, plan.failed, duplicates=outcome.duplicates, noops=outcome.noops)

    def _is_news(self, batch: Batch) -> bool:
        """Whether a row that is not there was never there: rows that were lost are folded again from old events."""
        return all(recorded.timestamp_ms >= self._clock_ms() - NEWS_MS for recorded in batch.events)

    async def _write_through(self, state: State, unborn: Collection[RowKey[Row]]) -> None:
        if self._cache is None:
            return
        there = [(key, kept) for key, kept in state.items() if kept.offset >= 0]
        writes = [write for key, kept in there for write in self._cache_form(key, kept, key in unborn)]
        if writes:
            await self._cache.merge(writes)


def behind_both(one: Outputs, other: Outputs) -> Outputs:
    """The offsets behind the last records of both."""
    return {place: max(one.get(place, 0), other.get(place, 0)) for place in {**one, **other}}


async def rehearse(projection: Projection, rows: RowStore, batch: Batch) -> Sequence[Dead]:
    """Fold a batch and write nothing; the records on which the projection raised."""
    plan = _Plan(projection, batch)
    plan.fold(await rows.load(list(plan.keys)) if plan.keys else {})
    return plan.failed


class _Plan:
    """The events of a batch up to the first on which the projection raises; that one is given up.

    Of a batch that was seen before, those that the rows hold: nothing of it is folded again.
    """

    def __init__(self, projection: Projection, batch: Batch) -> None:
        self._projection = projection
        self._batch = batch
        self.events: list[Recorded] = []
        self.failed: list[Dead] = []
        self.keys: set[RowKey[Row]] = set()
        for recorded in batch.events:
            try:
                self.keys.update(needed(projection, recorded))
            # Whatever a fold raises, the event is at fault or the projection is: a dead letter shows it either way.
            except Exception as error:  # noqa: BLE001
                self._give_up(recorded, error)
                if not batch.seen:
                    break
            else:
                self.events.append(recorded)

    def fold(self, state: dict[RowKey[Row], Kept]) -> Outcome:
        """Fold what folds; `state` is brought up to date."""
        if self._batch.seen:
            self.failed.clear()
            self.events = [recorded for recorded in self.events if self._is_held(state, recorded)]
            return Outcome(repeats=len(self.events))
        trial = dict(state)
        try:
            outcome = fold_batch(self._projection, trial, self.events)
        # As above. The batch is folded again up to the event that raises.
        except Exception:  # noqa: BLE001
            self.events = list(self._until_failure(dict(state)))
            return fold_batch(self._projection, state, self.events)
        state.update(trial)
        return outcome

    def _is_held(self, state: State, recorded: Recorded) -> bool:
        kept = state[self._projection.aggregate(recorded)]
        return kept.offset >= recorded.place or recorded.event_id in kept.event_ids

    def _until_failure(self, state: dict[RowKey[Row], Kept]) -> Iterable[Recorded]:
        for recorded in self.events:
            try:
                changed, _ = fold_one(self._projection, state, recorded)
            # As above.
            except Exception as error:  # noqa: BLE001
                self.failed.clear()
                self._give_up(recorded, error)
                return
            state.update(changed)
            yield recorded

    def _give_up(self, recorded: Recorded, error: Exception) -> None:
        # The message may quote what the event held, personal data included; the place in the code does not.
        reason = f"fold raised: {type(error).__name__} at {_place(error)}"
        self.failed.append(Dead(self._batch.records[recorded.offset], reason))
        logger.error("fold-raised", source=str(self._batch.source), offset=recorded.offset, reason=reason)


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "unknown"
