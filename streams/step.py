"""The step that every engine runs for a batch of one partition's records: decode, work, bury, store the position.

The position that the store holds decides what is new; an engine's own offsets are only where it began to read. The
position moves after everything else, so a crash anywhere repeats the batch, and every part of it may be repeated.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from photolog.log.dead_letters import dead_letter
from photolog.log.growth import History, by_epoch, is_misplaced, place_in
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.positions import Position
from photolog.stall import Stall
from photolog.worker_metrics import DEAD
from projections.fold import Recorded
from projections.stores.port import PositionStore, Source, StoredPosition
from schemas.topics import topic_named
from streams import metrics
from streams.decoding import Dead, Decoder
from streams.epochs import Epochs
from streams.errors import PositionLost, RecordsSkipped
from streams.parking import Parking, Plan

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
        seen: whether the position had been past all of it before and was set back: the rows hold what came of it, and
            what was not applied then must not be applied now.
    """

    source: Source
    events: Sequence[Recorded]
    records: Mapping[int, StoredRecord]
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What a work did.

    Args:
        outputs: where its appended events landed.
        failed: records that it could not process, for the dead-letter topic. Where the order of a key matters there is
            one at most, and nothing was done of what comes behind it in the batch.
        duplicates: offsets of events that had been applied before, at another offset.
        noops: offsets of events that changed nothing.
    """

    outputs: Outputs = field(default_factory=dict)
    failed: Sequence[Dead] = ()
    duplicates: Collection[int] = ()
    noops: Collection[int] = ()


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
        log: takes the dead letters; None where they are written already, as for a rebuild: then nothing is buried.
        stall: how it waits for engines that are away.
        epochs: the epochs of its topics; without them no topic has ever grown.
        letters_of: the projection whose dead letters it writes, and whose retries it takes; its own name, where it
            is no other generation's.
    """

    def __init__(
        self,
        name: str,
        positions: PositionStore,
        decoder: Decoder,
        work: Work,
        log: Log | None,
        stall: Stall | None = None,
        epochs: Epochs | None = None,
        letters_of: str | None = None,
    ) -> None:
        self.name = name
        self._letters_of = letters_of or name
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
            TooMuchParked: so much fails that the projection must be broken.
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
        below = stored.counts.below if stored else 0
        for epoch, stretch in by_epoch(history, new, below):
            await self.epochs.admit(source.topic, history, epoch)
            left: Sequence[StoredRecord] = stretch
            while left:
                metrics.BATCH_RECORDS.labels(self.name).observe(len(left))
                with metrics.STEP_SECONDS.labels(self.name).time():
                    stored = await self._process(source, stored or _NOWHERE, left, history, epoch)
                left = [record for record in left if record.offset >= stored.next_offset]
        self._fresh.discard(source)

    async def _process(
        self,
        source: Source,
        stored: StoredPosition,
        records: Sequence[StoredRecord],
        history: History,
        epoch: int,
    ) -> StoredPosition:
        """Bring some of the records in, up to the first that is worked on behind a dead one, and store their position.

        That one is dead must be known for good before anything behind it is written: when the batch comes again, the
        program may have been repaired, and what could be folded then would come too late for the rows.
        """
        parking, dead = await self._judge(stored, source, records, history, epoch)
        plan = parking.plan(records, dead)
        events, undecodable = await self._decoder.decode([one for one in records if one.offset in plan.worked])
        if undecodable:
            dead |= {one.record.offset: one.reason for one in undecodable}
            plan = parking.plan(records, dead)
        planned = len(records)
        records = plan.cut(records)
        end = records[-1].offset
        events = [event for event in events if event.offset in plan.worked and event.offset <= end]
        if epoch:
            events = [replace(event, epoch=epoch) for event in events]
        done = await self._work.do(
            Batch(source, events, {record.offset: record for record in records}, seen=parking.seen)
        )
        dead |= {one.record.offset: one.reason for one in done.failed}
        if done.failed and parking.ordered:
            end = done.failed[0].record.offset
        records = [record for record in records if record.offset <= end]
        if done.failed or len(records) < planned:
            plan = parking.plan(records, dead)
        await self._bury(plan)
        return await self._advance(source, stored, end + 1, done, plan)

    async def _judge(
        self, stored: StoredPosition, source: Source, records: Sequence[StoredRecord], history: History, epoch: int
    ) -> tuple[Parking, dict[int, str]]:
        """How a stretch is to be judged, and why some of it is dead already."""
        ordered, seen = self.epochs.ordered, records[0].offset < stored.counts.below
        strays = {one.offset for one in records if epoch and ordered and is_misplaced(history, one)}
        parked = stored.parked if seen else await self.epochs.parked(source, stored, history, epoch)
        parking = Parking(self._letters_of, parked, partial(place_in, history), ordered, seen, strays)
        return parking, dict.fromkeys(strays, "misplaced: its key belongs to another partition")

    async def _advance(
        self, source: Source, stored: StoredPosition, next_offset: int, done: Done, plan: Plan
    ) -> StoredPosition:
        outputs = dict(stored.outputs)
        for place, offset in done.outputs.items():
            outputs[place] = max(offset, outputs.get(place, 0))
        fates = plan.fates_after(done.duplicates, done.noops)
        position = StoredPosition(next_offset, outputs, stored.counts.after(fates), plan.parked)
        if not await self._positions.advance(source, position, expected=stored.next_offset):
            raise PositionLost(f"{source} was at {stored.next_offset} when the batch began, and its store holds less")
        metrics.show_fates(self.name, stored.counts, position.counts)
        self._held[source] = max(next_offset, self._held.get(source, 0))
        return position

    async def _bury(self, plan: Plan) -> None:
        if self._log is None or not plan.letters:
            return
        await self._log.append_all(
            [
                dead_letter(
                    letter.record,
                    topic_named(letter.record.topic).dead_letters,
                    self._letters_of,
                    letter.reason,
                    ordered=letter.ordered,
                )
                for letter in plan.letters
            ]
        )
        for letter in plan.letters:
            if plan.fates[letter.record.offset] == "dead":
                DEAD.labels(self.name, letter.reason.partition(":")[0]).inc()


_NOWHERE = StoredPosition(0)


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
