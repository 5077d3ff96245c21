"""The step that every engine runs for a batch of one partition's records: decode, work, bury, store the position.

The position that the store holds decides what is new; an engine's own offsets are only where it began to read. The
position moves after everything else, so a crash anywhere repeats the batch, and every part of it may be repeated.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from photolog.log.dead_letters import dead_letter
from photolog.log.growth import History, by_epoch, is_misplaced
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.positions import Position
from photolog.stall import Stall
from photolog.worker_metrics import DEAD
from projections.fold import Recorded
from projections.stores.counts import NOTHING_COUNTED, Fate
from projections.stores.port import PositionStore, Source, StoredPosition
from schemas.topics import topic_named
from streams import metrics
from streams.decoding import Dead, Decoder
from streams.epochs import Epochs
from streams.errors import PositionLost, RecordsSkipped

Outputs = Mapping[tuple[str, int], int]
"""For each (topic, partition) appended to: the offset behind the last acknowledged record."""


class Log(Protocol):
    """Where steps append: `photolog.log.producer.LogProducer`."""

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        """Append in order; the answer comes when all are acknowledged."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one partition.

    Args:
        source: the projection and the partition.
        events: in log order.
        records: the record of each event, by offset.
    """

    source: Source
    events: Sequence[Recorded]
    records: Mapping[int, StoredRecord]


@dataclass(frozen=True, slots=True)
class Done:
    """What a work did.

    Args:
        outputs: where its appended events landed.
        failed: records that it could not process, for the dead-letter topic.
        duplicates: offsets of events that had been applied before, at another offset.
        noops: offsets of events that changed nothing.
    """

    outputs: Outputs = field(default_factory=dict)
    failed: Sequence[Dead] = ()
    duplicates: Collection[int] = ()
    noops: Collection[int] = ()

    def fates(self, records: Iterable[StoredRecord], dead: Sequence[Dead]) -> dict[int, Fate]:
        """What became of each record, by its offset: whatever nobody says otherwise of was applied.

        Args:
            records: all of the batch.
            dead: those that were given up before the work.
        """
        fates: dict[int, Fate] = {record.offset: "applied" for record in records}
        fates |= dict.fromkeys(self.duplicates, "duplicates")
        fates |= dict.fromkeys(self.noops, "noops")
        fates |= {letter.record.offset: "dead" for letter in (*dead, *self.failed)}
        return fates


class Work(Protocol):
    """What a job does with a batch. It may be given the same batch, or a part of it, again."""

    async def do(self, batch: Batch) -> Done:
        """Do it. Raises one of `photolog.stall.TRANSIENT` to be given the batch again."""


class Step:
    """One projection's step.

    Args:
        name: the projection's name.
        positions: the store that holds what the work writes, and with it the positions.
        decoder: makes events of records.
        work: what is done with them.
        log: takes the dead letters.
        stall: how it waits for engines that are away.
        epochs: the epochs of its topics; without them no topic has ever grown.
    """

    def __init__(
        self,
        name: str,
        positions: PositionStore,
        decoder: Decoder,
        work: Work,
        log: Log,
        stall: Stall | None = None,
        epochs: Epochs | None = None,
    ) -> None:
        self.name = name
        self._positions = positions
        self._decoder = decoder
        self._work = work
        self._log = log
        self._stall = stall or Stall(name)
        self.epochs = epochs or Epochs(name, positions)
        self._running = 0
        self._held: dict[Source, int] = {}
        self._fresh: set[Source] = set()

    @property
    def busy(self) -> bool:
        """Whether a batch is being worked on, or waits for an engine that is away."""
        return self._running > 0

    async def resume(self, topic: str, partition: int) -> int | None:
        """The offset to read from, None for the log's start; the engine is about to seek there."""
        source = Source(self.name, topic, partition)
        stored = await self._positions.position(source)
        self._held[source] = stored.next_offset if stored else 0
        self._fresh.add(source)
        return stored.next_offset if stored else None

    def held(self, topic: str, partition: int) -> int:
        """The offset behind the last record that this process applied or found applied; 0 where it knows of none."""
        return self._held.get(Source(self.name, topic, partition), 0)

    async def position(self, topic: str, partition: int) -> int:
        """The stored position, whatever this process applied; 0 where there is none."""
        stored = await self._positions.position(Source(self.name, topic, partition))
        return stored.next_offset if stored else 0

    async def verify(self, topic: str, partition: int) -> int:
        """The stored position, 0 where there is none.

        Raises:
            PositionLost: it is behind what this process applied.
        """
        source = Source(self.name, topic, partition)
        # Taken before the read: a batch that ends during it may make the answer look old, but never too old.
        held = self._held.get(source, 0)
        stored = await self._positions.position(source)
        return _checked(source, stored, held)

    async def run(self, topic: str, partition: int, records: Sequence[StoredRecord]) -> None:
        """Bring a partition's records into the read model; returns once their position is stored.

        Args:
            topic: the records' topic.
            partition: the records' partition.
            records: at least one; what was applied before is passed over.

        Raises:
            PositionLost: the store holds less than this process applied.
            RecordsSkipped: the records do not follow the stored position.
            AheadOfGrowth: the topic grew, and something before these records is not applied in another partition.
        """
        source = Source(self.name, topic, partition)
        unique = {record.offset: record for record in records}
        ordered = [unique[offset] for offset in sorted(unique)]
        self._running += 1
        try:
            await self._stall.until_done(lambda: self._attempt(source, ordered))
        finally:
            self._running -= 1

    async def _attempt(self, source: Source, records: Sequence[StoredRecord]) -> None:
        stored, history = await asyncio.gather(self._positions.position(source), self.epochs.history(source.topic))
        next_offset = _checked(source, stored, self._held.get(source, 0))
        if source not in self._fresh:
            _check_consecutive(source, next_offset, records)
        new = [record for record in records if record.offset >= next_offset]
        metrics.BELOW_POSITION.labels(self.name).inc(len(records) - len(new))
        for epoch, stretch in by_epoch(history, new):
            await self.epochs.admit(source.topic, history, epoch)
            metrics.BATCH_RECORDS.labels(self.name).observe(len(stretch))
            with metrics.STEP_SECONDS.labels(self.name).time():
                stored = await self._process(source, stored, stretch, history, epoch)
        self._fresh.discard(source)

    async def _process(
        self,
        source: Source,
        stored: StoredPosition | None,
        records: Sequence[StoredRecord],
        history: History,
        epoch: int,
    ) -> StoredPosition:
        strays = [record for record in records if epoch and self.epochs.ordered and is_misplaced(history, record)]
        kept = [record for record in records if record not in strays] if strays else records
        events, dead = await self._decoder.decode(kept)
        if epoch:
            events = [replace(event, epoch=epoch) for event in events]
        dead += [Dead(record, "misplaced: its key belongs to another partition") for record in strays]
        done = await self._work.do(Batch(source, events, {record.offset: record for record in records}))
        await self._bury([*dead, *done.failed])
        outputs = dict(stored.outputs) if stored else {}
        for place, offset in done.outputs.items():
            outputs[place] = max(offset, outputs.get(place, 0))
        next_offset = records[-1].offset + 1
        before = stored.next_offset if stored else 0
        counts = stored.counts if stored else NOTHING_COUNTED
        position = StoredPosition(next_offset, outputs, counts.after(done.fates(records, dead).items()))
        if not await self._positions.advance(source, position, expected=before):
            raise PositionLost(f"{source} was at {before} when the batch began, and its store holds less now")
        metrics.show_fates(self.name, counts, position.counts)
        self._held[source] = max(next_offset, self._held.get(source, 0))
        return position

    async def _bury(self, dead: Sequence[Dead]) -> None:
        if not dead:
            return
        letters = [
            dead_letter(letter.record, topic_named(letter.record.topic).dead_letters, self.name, letter.reason)
            for letter in dead
        ]
        await self._log.append_all(letters)
        for letter in dead:
            DEAD.labels(self.name, letter.reason.partition(":")[0]).inc()


def _checked(source: Source, stored: StoredPosition | None, held: int) -> int:
    next_offset = stored.next_offset if stored else 0
    if next_offset < held:
        raise PositionLost(f"{source} was applied up to {held}, and its store holds {next_offset}")
    return next_offset


def _check_consecutive(source: Source, next_offset: int, records: Sequence[StoredRecord]) -> None:
    """No topic of ours is compacted or transactional, so offsets have no gaps but those that an engine makes.

    Behind a seek a gap is the log's own and is let pass, so a gap that should exist after all costs one restart.
    """
    first, last = records[0].offset, records[-1].offset
    if first > next_offset or last - first + 1 != len(records):
        raise RecordsSkipped(f"{source}: records {first}..{last} ({len(records)} of them) came after {next_offset}")
