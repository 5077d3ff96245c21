"""The likes job over a log in which some records cannot be processed for a while, and processes die."""

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from photolog.log.growth import NeverGrown
from photolog.log.letters import Letter
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.log.retries import Place
from photolog.log.settlements import Settlement
from photolog.positions import Position
from projections.fold import Recorded, Rows
from projections.likes import LIKES_PROJECTION
from projections.stores.counts import Counts
from projections.stores.memory_rows import MemoryRows
from projections.tables import Row, RowKey
from projections.writes import Write
from schemas import events as e
from schemas.topics import LIKES
from streams.decoding import Dead, Decoder
from streams.folding import Folding
from streams.letters import Chain, OpenLetters
from streams.retrying import Rehearsal, Retrying
from streams.step import Step
from tests.unit.mortal import Killed, Mortal
from tests.unit.streams.river import NOW_MS, PARTITIONS, SERDE, MemoryLog, OpenKeys, encoded

CHANGES = {"apply", "advance", "append_all", "settle"}


@dataclass
class Poison:
    """The events that cannot be processed: `folded` raise, `garbled` do not decode."""

    folded: set[UUID] = field(default_factory=set)
    garbled: set[UUID] = field(default_factory=set)

    def cure(self) -> None:
        """Somebody repaired the program."""
        self.folded.clear()
        self.garbled.clear()


class PoisonedLikes:
    """The projection of likes, which raises on some events."""

    name, topics = LIKES_PROJECTION.name, LIKES_PROJECTION.topics

    def __init__(self, poison: Poison) -> None:
        self._poison = poison

    def aggregate(self, recorded: Recorded) -> RowKey[Row]:
        return LIKES_PROJECTION.aggregate(recorded)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        return LIKES_PROJECTION.reads(recorded)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        if recorded.event_id in self._poison.folded:
            raise RuntimeError("poison")
        return LIKES_PROJECTION.project(rows, recorded)


class PoisonedDecoder(Decoder):
    """A decoder that cannot decode some events."""

    def __init__(self, poison: Poison) -> None:
        super().__init__(SERDE, OpenKeys())
        self._poison = poison

    async def decode(self, records: Sequence[StoredRecord]) -> tuple[list[Recorded], list[Dead]]:
        events, dead = await super().decode(records)
        by_offset = {(record.partition, record.offset): record for record in records}
        garbled = [event for event in events if event.event_id in self._poison.garbled]
        dead += [Dead(by_offset[event.partition, event.offset], "undecodable: poison") for event in garbled]
        return [event for event in events if event not in garbled], dead


class MemorySettlements:
    """Decisions in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], dict[Place, Settlement]] = {}

    async def of(self, projection: str, topic: str) -> Mapping[Place, Settlement]:
        return dict(self.held.get((projection, topic), {}))

    async def settle(self, letter: Letter, settlement: Settlement, at_ms: int) -> None:
        self.held.setdefault((letter.projection, letter.record.topic), {})[letter.origin] = settlement


class MemoryReader:
    """Reads topics of a `MemoryLog`."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def read(self, topic: str) -> AsyncIterator[Sequence[StoredRecord]]:
        for (name, _), records in sorted(self._log.partitions.items()):
            if name == topic and records:
                yield list(records)


class PoisonWorld:
    """The job, its log and its rows, and what an operator does about dead letters."""

    def __init__(self) -> None:
        self.poison = Poison()
        self.log, self.rows, self.settlements = MemoryLog(), MemoryRows(), MemorySettlements()
        self.appended: list[EncodedRecord] = []
        self.step = self.new_step()

    def new_step(self, buries: bool = True, **ports: Any) -> Step:
        """A new process, with some ports replaced."""
        rows, log = ports.get("rows", self.rows), ports.get("log", self.log)
        work = Folding(PoisonedLikes(self.poison), rows)
        return Step("likes", rows, PoisonedDecoder(self.poison), work, log if buries else None)

    def act(self, event: e.Event, *, bad: str = "") -> UUID:
        """Append an event that can be processed, or is `folded` or `garbled` poison."""
        record = encoded(event)
        self.append(record)
        if bad:
            getattr(self.poison, bad).add(record.event_id)
        return record.event_id

    def append(self, record: EncodedRecord) -> None:
        """Append a record; a client may do so twice."""
        self.appended.append(record)
        self.log.append(record)

    async def turn(self, partition: int, size: int, dies_at: int = 0, after: bool = False) -> None:
        """A new process takes a batch, and may die at a change."""
        step, calls = self.step, {"left": dies_at, "after": after}
        if dies_at:
            step = self.new_step(rows=Mortal(self.rows, calls, CHANGES), log=Mortal(self.log, calls, CHANGES))
        begin = await step.resume(LIKES.name, partition) or 0
        batch = self.log.partitions.get((LIKES.name, partition), [])[begin:][:size]
        try:
            if batch:
                await step.run(LIKES.name, partition, batch)
        except Killed:
            self.step = self.new_step()

    async def pump(self, size: int = 3) -> None:
        """Fold whatever is there."""
        for partition in range(PARTITIONS):
            while await self.lag(partition):
                await self.turn(partition, size)

    async def lag(self, partition: int) -> int:
        """How many records are left of a partition."""
        begin = await self.step.resume(LIKES.name, partition) or 0
        return len(self.log.partitions.get((LIKES.name, partition), [])) - begin

    def letters(self) -> OpenLetters:
        """Looks for open letters."""
        return OpenLetters(MemoryReader(self.log), self.rows, self.settlements, NeverGrown())

    async def chains(self) -> list[Chain]:
        """What is open."""
        return await self.letters().chains([LIKES])

    def retrying(self, dies_at: int = 0, after: bool = False, meanwhile: Callable[[], None] | None = None) -> Retrying:
        """An operator's process, which may die at a change. Before each append `meanwhile` happens."""
        calls = {"left": dies_at, "after": after}

        waited = [0.0]

        async def worked(seconds: float) -> None:
            waited[0] += seconds
            await self.pump(random.Random(len(self.log.of(LIKES.name))).choice((1, 1, 2, 4)))

        class Interrupted(MemoryLog):
            async def append_all(log, records: Sequence[EncodedRecord]) -> list[Position]:
                if meanwhile is not None:
                    meanwhile()
                return await self.log.append_all(records)

        rehearsal = Rehearsal(PoisonedDecoder(self.poison), self.rows, [PoisonedLikes(self.poison)])
        return Retrying(
            self.letters(),
            Mortal(Interrupted(), calls, CHANGES),
            self.rows,
            Mortal(self.settlements, calls, CHANGES),
            rehearsal,
            lambda: NOW_MS,
            60.0,
            worked,
            lambda: waited[0],
        )

    async def retry_all(self, **options: Any) -> None:
        """Retry until nothing is open."""
        for _ in range(50):
            chains = await self.chains()
            if not chains:
                return
            for chain in chains:
                await self.retrying(**options).retry(chain)
        raise AssertionError(f"still open: {chains}")

    async def counts(self) -> list[Counts]:
        """The sums of all partitions."""
        return [stored.counts for stored in (await self.rows.positions("likes")).values()]

    async def rows_without_poison(self) -> dict[Any, Any]:
        """The rows as they would be if nothing had ever failed."""
        clean = PoisonWorld()
        for record in self.appended:
            clean.append(record)
        await clean.pump()
        return clean.seen()

    def seen(self) -> dict[Any, Any]:
        """Every row, without the places that it came from."""
        return {
            (table, key): replace(kept, offset=0)
            for (table, _), partition in self.rows._partitions.items()
            for key, kept in partition.items()
            if kept.row is not None
        }
