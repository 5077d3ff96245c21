"""A log in memory, and a worker that folds it while everything goes wrong that may go wrong."""

import random
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import NamedTuple
from uuid import UUID

from photolog.log.growth import Growth, epoch_of, is_passed
from projections.fold import Projection, Recorded, fold_batch, needed
from projections.follower_heads import FOLLOWER_HEADS
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import Source, StoredPosition
from projections.tables import Row, RowKey, Table
from projections.writes import Kept, Positioned
from schemas.events import Event
from schemas.topics import TOPICS, topic_of
from tests.unit.projections.folding import at_once


class InspectedRows(MemoryRows):
    """Memory rows that can be listed whole."""

    def everything(self) -> dict[tuple[str, tuple[object, ...]], Kept]:
        """All rows that are alive, by table and key."""
        return {
            (table, values): kept
            for (table, _), partition in self._partitions.items()
            for values, kept in partition.items()
            if kept.row is not None
        }

    def rows_of(self, table: Table[Row]) -> list[Row]:
        """All rows of a table that are alive."""
        return [kept.row for (name, _), kept in self.everything().items() if name == table.name and kept.row]


class SimulatedLog:
    """Topics of `partitions` partitions each; a record's key decides its partition. `growths` are those of each topic.

    Args:
        partitions: how many each topic has.
    """

    def __init__(self, partitions: int = 4) -> None:
        self.partitions = partitions
        self.records: defaultdict[tuple[str, int], list[Recorded]] = defaultdict(list)
        self.growths: dict[str, tuple[Growth, ...]] = {topic.name: () for topic in TOPICS}

    def append(self, event: Event, event_id: UUID, at_ms: int) -> Recorded:
        """Append an event; offsets have gaps, as on compacted and transactional topics."""
        topic = topic_of(type(event))
        partition = zlib.crc32(topic.key(event).encode()) % self.partitions
        stretch = self.records[topic.name, partition]
        offset = stretch[-1].offset + 1 + len(stretch) % 2 if stretch else 0
        epoch = epoch_of(self.growths[topic.name], partition, offset)
        recorded = Recorded(event, event_id, topic.name, partition, offset, at_ms, epoch)
        stretch.append(recorded)
        return recorded

    def grow(self, partitions: int) -> None:
        """Give every topic more partitions; keys move."""
        for topic, history in self.growths.items():
            stretches = (self.records[topic, partition] for partition in range(self.partitions))
            cuts = tuple(stretch[-1].offset + 1 if stretch else 0 for stretch in stretches)
            self.growths[topic] = (*history, Growth(self.partitions, partitions, cuts))
        self.partitions = partitions

    def stretch(self, source: Source) -> list[Recorded]:
        """All records of one partition."""
        return self.records[source.topic, source.partition]


class Mishap(NamedTuple):
    """How one step of a worker goes.

    Args:
        rewind: how many records before its position it begins again.
        size: how many records it takes at most.
        crash_at: the share of its single writes, 0 to 1, after which it stops before it stores its position; None
            where it goes on to the end.
        seed: the order of writes within a stage.
        wakes: whether the one that stopped was not dead but paused, and does the rest when `wake` is called.
    """

    rewind: int = 0
    size: int = 100
    crash_at: float | None = None
    seed: int = 0
    wakes: bool = False


class Worker:
    """Folds partitions into a store as a job does: load, fold, write the stages in order, store the position.

    Args:
        store: where the rows are.
        log: what is folded.
    """

    def __init__(self, store: MemoryRows, log: SimulatedLog) -> None:
        self._store = store
        self._log = log
        self._paused: list[tuple[Source, list[list[Positioned]], StoredPosition]] = []

    def step(self, projection: Projection, partition: int, mishap: Mishap) -> None:
        """Fold one batch of one partition, or a part of it."""
        source = Source(projection.name, projection.topics[0].name, partition)
        stretch = self._log.stretch(source)
        begin = max(0, self._done(source) - mishap.rewind)
        batch = list(takewhile(partial(self._admits, source), stretch[begin : begin + mishap.size]))
        if not batch:
            return
        state = at_once(self._store.load([key for recorded in batch for key in needed(projection, recorded)]))
        outcome = fold_batch(projection, state, batch)
        stages = [list(outcome.others.values()), list(outcome.aggregates.values())]
        for stage in stages:
            random.Random(mishap.seed).shuffle(stage)
        total = sum(map(len, stages))
        done = total if mishap.crash_at is None else int(total * mishap.crash_at)
        before = [stages[0][:done], stages[1][: max(0, done - len(stages[0]))]]
        after = [stages[0][done:], stages[1][max(0, done - len(stages[0])) :]]
        at_once(self._store.apply(before))
        position = StoredPosition(batch[-1].offset + 1)
        if mishap.crash_at is None:
            at_once(self._store.advance(source, position))
        elif mishap.wakes:
            self._paused.append((source, after, position))

    def wake(self) -> None:
        """Whoever was paused goes on as if nothing had happened, though others did its work meanwhile."""
        for source, stages, position in self._paused:
            at_once(self._store.apply(stages))
            at_once(self._store.advance(source, position))
        self._paused.clear()

    def finish(self, projections: Sequence[Projection], seed: int) -> None:
        """Fold whatever is left, partitions in any order, in batches of any size."""
        order = random.Random(seed)
        while open_ends := self.open_ends(projections):
            projection, partition = order.choice(open_ends)
            self.step(projection, partition, Mishap(size=order.randint(1, 5), seed=order.randrange(100)))

    def open_ends(self, projections: Sequence[Projection]) -> list[tuple[Projection, int]]:
        """Where something is left to fold."""
        ends = [(projection, partition) for projection in projections for partition in range(self._log.partitions)]
        return [
            (projection, partition)
            for projection, partition in ends
            if (done := self._done(source := Source(projection.name, projection.topics[0].name, partition)))
            < len(self._log.stretch(source))
            and self._admits(source, self._log.stretch(source)[done])
        ]

    def _admits(self, source: Source, recorded: Recorded) -> bool:
        """Whether everything of the epochs before a record's is applied, as a job's step asks."""
        if recorded.epoch == 0:
            return True
        stored = at_once(self._store.positions(source.projection))
        applied = {place.partition: at.next_offset for place, at in stored.items() if place.topic == source.topic}
        return is_passed(self._log.growths[source.topic][recorded.epoch - 1], applied)

    def _done(self, source: Source) -> int:
        """How many records of a partition lie below the stored position."""
        stored = at_once(self._store.position(source))
        return sum(stored is not None and one.offset < stored.next_offset for one in self._log.stretch(source))


def without_places(rows: dict[tuple[str, tuple[object, ...]], Kept]) -> dict[RowKey[Row] | object, object]:
    """Rows without what depends on how keys lie on partitions: offsets, and counts by source, which are summed.

    Heads are left out: after a growth they may name more. `hold_against` holds them to the naive world.
    """
    found: defaultdict[object, object] = defaultdict(int)
    for (table, values), kept in rows.items():
        if table == FOLLOWER_HEADS.name:
            continue
        count = getattr(kept.row, "count", None)
        if count is None:
            found[table, values] = replace(kept, offset=0)
        else:
            found[table, values[:-1]] += count  # a count's key ends in its source
    return {key: value for key, value in found.items() if value != 0}
