"""Reading a part of the log in an order that keeps every key's, also where a topic has grown."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from photolog.log.growth import Growths, History, NeverGrown, is_misplaced
from photolog.log.record import StoredRecord
from photolog.log.slices import Batch, Slice

SKEW_MS = 10 * 60_000
"""By how much the times of records may be out of the log's order."""
Progress = Callable[[str, int, int], None]
"""Told what is being read, how many records of it are, and how many there are."""
Partitions = Callable[[int, int], Collection[int]]
"""The partitions to read of an epoch, of so many that there were in it."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


class Reader(Protocol):
    """Reads stretches of the log: `photolog.log.slices.SliceReader`, or lists in tests."""

    async def whole(self, topic: str) -> list[Slice]:
        """Everything that a topic holds now, a slice for each partition."""

    async def since(self, slices: Sequence[Slice], timestamp_ms: int) -> list[Slice]:
        """The slices without what lies before their first record of a time or later."""

    def read(self, slices: Sequence[Slice]) -> AsyncIterator[Batch]:
        """Read slices side by side, each in its own order."""


class Placed(NamedTuple):
    """A record, and the epoch of its topic."""

    record: StoredRecord
    epoch: int


class Span(NamedTuple):
    """A stretch of time, both ends included, Unix milliseconds. Records belong to it by their own time."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Log:
    """The log, as this package reads it.

    Args:
        reader: gives the records.
        growths: how topics have grown.
        progress: told how far reading has come.
    """

    reader: Reader
    growths: Growths = field(default_factory=NeverGrown)
    progress: Progress = silent

    async def in_order(
        self, topic: str, partitions: Partitions, last: Placed | None = None, until_ms: int | None = None
    ) -> AsyncIterator[list[Placed]]:
        """Records of some partitions, epoch by epoch, so that a key's come in their order wherever they lie.

        What lies where its key does not belong is left out, as jobs do.

        Args:
            topic: the topic's name.
            partitions: which ones.
            last: where to stop, this one included: of its epoch only its own partition is read.
            until_ms: where to stop in time: records of later may come all the same, those of before do.

        Raises:
            LogUnavailable: the broker did not answer.
        """
        history = await self.growths.of(topic)
        slices = await self._until(await self.reader.whole(topic), until_ms)
        stretches = [
            [_up_to(one, last) for one in stretch if last is None or epoch < last.epoch or _is_beside(one, last)]
            for epoch, stretch in enumerate(by_epoch(history, slices))
            if last is None or epoch <= last.epoch
        ]
        wanted = [
            [one for one in stretch if one.partition in set(partitions(epoch, count_in(history, epoch, len(slices))))]
            for epoch, stretch in enumerate(stretches)
        ]
        async for epoch, records in self._read(topic, wanted):
            yield [Placed(one, epoch) for one in records if not (epoch and is_misplaced(history, one))]

    async def window(self, slices: Sequence[Slice], what: str) -> AsyncIterator[Sequence[StoredRecord]]:
        """Records of slices, with progress."""
        async for _, records in self._read(what, [slices]):
            yield records

    async def between(self, topic: str, span: Span) -> list[Slice]:
        """The stretches that hold every record of a time span, and perhaps others."""
        begun = await self.reader.since(await self.reader.whole(topic), span.first_ms)
        behind = {one.partition: one.begin for one in await self.reader.since(begun, span.last_ms + 1)}
        return [replace(one, end=behind[one.partition]) for one in begun]

    async def _until(self, slices: list[Slice], until_ms: int | None) -> list[Slice]:
        """What was appended up to a time and for a while behind it, as clocks differ."""
        if until_ms is None:
            return slices
        behind = {one.partition: one.begin for one in await self.reader.since(slices, until_ms + SKEW_MS)}
        return [replace(one, end=behind[one.partition]) for one in slices]

    async def _read(
        self, what: str, stretches: Sequence[Sequence[Slice]]
    ) -> AsyncIterator[tuple[int, Sequence[StoredRecord]]]:
        total = sum(max(0, (one.end or 0) - one.begin) for stretch in stretches for one in stretch)
        done = 0
        self.progress(what, done, total)
        for epoch, stretch in enumerate(stretches):
            if not any((one.end or 0) > one.begin for one in stretch):
                continue
            async for batch in self.reader.read(stretch):
                done += len(batch.records)
                self.progress(what, done, total)
                if batch.records:
                    yield epoch, batch.records


def by_epoch(history: History, slices: Sequence[Slice]) -> list[list[Slice]]:
    """For each epoch of a topic what of its partitions belongs to it."""
    return [[_within(history, one, epoch) for one in slices] for epoch in range(len(history) + 1)]


def count_in(history: History, epoch: int, now: int) -> int:
    """How many partitions a topic had in an epoch; `now` is how many a topic has that never grew."""
    if epoch:
        return history[epoch - 1].after
    return history[0].before if history else now


def _within(history: History, one: Slice, epoch: int) -> Slice:
    begin, end = one.begin, one.begin if one.end is None else one.end
    if epoch:
        begin = max(begin, _cut(history[epoch - 1].cuts, one.partition))
    if epoch < len(history):
        end = min(end, _cut(history[epoch].cuts, one.partition))
    return replace(one, begin=begin, end=max(begin, end))


def _cut(cuts: Sequence[int], partition: int) -> int:
    """Where a growth cuts a partition; one that was not there yet has nothing before the cut."""
    return cuts[partition] if partition < len(cuts) else 0


def _is_beside(one: Slice, last: Placed) -> bool:
    return one.partition == last.record.partition


def _up_to(one: Slice, last: Placed | None) -> Slice:
    if last is None or not _is_beside(one, last):
        return one
    return replace(one, end=min(one.end or one.begin, last.record.offset + 1))
