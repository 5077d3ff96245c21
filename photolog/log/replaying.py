"""Appending records again: the same bytes, key, headers and time, into another topic.

What is in the target already is found in the target itself, by the header that each repeat carries. So a replay that
was interrupted anywhere, by whatever, goes on by doing it again. It is at least once: a batch that was sent and not
acknowledged may land after the next attempt has looked.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from photolog.log.bulk import Appended
from photolog.log.growth import History
from photolog.log.origins import Origins, origin_headers, origin_of
from photolog.log.record import StoredRecord
from photolog.log.selection import Selection
from photolog.log.slices import Batch, Slice

RATE_PARTS_A_SECOND = 10
UNTYPED = "?"


class Reader(Protocol):
    """Reads the log: `photolog.log.slices.SliceReader`, or lists in tests."""

    def read(self, slices: Sequence[Slice]) -> AsyncIterator[Batch]:
        """See `SliceReader.read`."""


class Appender(Protocol):
    """Appends to the log: `photolog.log.bulk.BulkProducer`, or lists in tests."""

    async def append(self, records: Sequence[Appended]) -> None:
        """See `BulkProducer.append`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be appended again, and where.

    Args:
        slices: what to read, each with an end.
        history: the growths of the source: a key's records lie in one partition only within an epoch.
        target: the topic to append to.
        partitions: how many the target has.
        keeps_partition: whether a record stays in the partition of its number; else its key decides.
        selection: which records of the slices.
        run: the replay's name; what another run appended is appended once more. May be empty.
    """

    slices: Sequence[Slice]
    history: History
    target: str
    partitions: int
    keeps_partition: bool
    selection: Selection
    run: str = ""


@dataclass(slots=True)
class Tally:
    """How far a replay has come.

    Args:
        looked: records of the target that were looked at.
        read: records of the source that were read.
        there: those that are meant and stand in the target already.
        repeats: those that the target's own replay had appended to the source, which are left out.
        appended: those that were appended, or would be.
        types: of these, how many of each event type.
    """

    looked: int = 0
    read: int = 0
    there: int = 0
    repeats: int = 0
    appended: int = 0
    types: Counter[str] = field(default_factory=Counter)


class Pace:
    """Lets no more than so many records a second pass.

    Args:
        rate: records a second; None for as fast as it goes.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._due = 0.0

    def parts(self, records: Sequence[StoredRecord]) -> Iterator[Sequence[StoredRecord]]:
        """The records in pieces that are small enough to keep the rate even."""
        size = len(records) if self._rate is None else max(1, self._rate // RATE_PARTS_A_SECOND)
        return (records[start : start + size] for start in range(0, len(records), max(1, size)))

    async def wait(self, count: int) -> None:
        """Return once so many more records may pass."""
        if self._rate is None:
            return
        now = self._clock()
        # What was not used before is not made up for.
        due = max(now, self._due)
        self._due = due + count / self._rate
        if due > now:
            await self._sleep(due - now)


class Replaying:
    """One replay.

    Args:
        reader: reads source and target.
        appender: appends to the target; None only counts.
        plan: what is to be done.
        type_of: tells the event type of a record that does not say it itself.
        report: is told now and then how far it is.
        pace: how fast.
    """

    def __init__(
        self,
        reader: Reader,
        appender: Appender | None,
        plan: Plan,
        type_of: Callable[[StoredRecord], str | None],
        report: Callable[[Tally], None],
        pace: Pace,
    ) -> None:
        self._reader = reader
        self._appender = appender
        self._plan = plan
        self._type_of = type_of
        self._report = report
        self._pace = pace
        self._origins = Origins(plan.slices, plan.run)
        self.tally = Tally()

    async def run(self, target: Sequence[Slice]) -> None:
        """Append what is not there yet.

        Args:
            target: all that the target holds; nothing where it is not there yet.

        Raises:
            LogUnavailable: do it again; it goes on.
            StoreUnavailable: the registry did not tell what a record is.
        """
        async for batch in self._reader.read(target):
            self._origins.add(batch.records)
            self.tally.looked += len(batch.records)
            self._report(self.tally)
        for slices in by_epoch(self._plan.slices, self._plan.history):
            async for batch in self._reader.read(slices):
                await self._repeat(batch.records)

    async def _repeat(self, records: Sequence[StoredRecord]) -> None:
        wanted = [record for record in records if self._is_wanted(record)]
        self.tally.read += len(records) - len(wanted)
        self._report(self.tally)
        for part in self._pace.parts(wanted):
            await self._pace.wait(len(part))
            if self._appender is not None:
                await self._appender.append([self._again(record) for record in part])
            self.tally.read += len(part)
            self.tally.appended += len(part)
            self.tally.types.update(map(_type, part))
            self._report(self.tally)

    def _is_wanted(self, record: StoredRecord) -> bool:
        if not self._plan.selection.holds(record, self._type_of):
            return False
        if record.topic == self._plan.target and (origin := origin_of(record)) and origin[0].topic == record.topic:
            self.tally.repeats += 1
            return False
        if record in self._origins:
            self.tally.there += 1
            return False
        return True

    def _again(self, record: StoredRecord) -> Appended:
        keeps = self._plan.keeps_partition or record.key is None
        return Appended(
            topic=self._plan.target,
            partition=record.partition % self._plan.partitions if keeps else None,
            key=record.key,
            value=record.value,
            headers=(*record.headers, *origin_headers(record, self._plan.run)),
            timestamp_ms=record.timestamp_ms,
        )


def _type(record: StoredRecord) -> str:
    told = record.header("ce_type")
    return UNTYPED if told is None else told.decode(errors="replace")


def by_epoch(slices: Sequence[Slice], history: History) -> Iterator[list[Slice]]:
    """The slices, cut where the epochs of a grown topic begin: all of one come before any of the next."""
    left = list(slices)
    for growth in history:
        cuts = {one.place: growth.cuts[one.partition] for one in left if one.partition < growth.before}
        yield [replace(one, end=min(one.end or 0, cuts[one.place])) for one in left if one.place in cuts]
        left = [one.begun_at(cuts[one.place]) if one.place in cuts else one for one in left]
    yield left
