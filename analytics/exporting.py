"""The log into files, each event once, whoever dies or does the same meanwhile.

In turn, for a stretch of each partition: decide where it ends and write that down; write its files, whose names and
rows follow from the log alone; write down that it is done. What was begun is done again before anything new is, over
the same names. Memory is bounded by the stretches that are gone through at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analytics.positions import ExportPositions
from analytics.reading import Reader, Records, records_of
from analytics.repeats import Files
from analytics.stretches import NOTHING, Holding, Stretch, Topic, finished, next_stretches, planned
from analytics.tally import Tally
from analytics.witness import Witness
from analytics.writing import StretchWriter, Written
from photolog.errors import Conflict, Gone
from photolog.log.growth import Growths
from schemas.events import Event
from schemas.topics import topic_of
from streams.decoding import Decoder


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is gone through at once, of all partitions of a topic together.

    Args:
        records: how many records.
        size_bytes: of their keys and values.
    """

    records: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Ports:
    """What an export works with.

    Args:
        reader: reads the log.
        growths: how topics have grown.
        positions: how far exports are.
        files: the bucket.
        decoder: makes events of records, without a key of anybody's.
    """

    reader: Reader
    growths: Growths
    positions: ExportPositions
    files: Files
    decoder: Decoder


class Exporter:
    """One export.

    Args:
        ports: what it works with.
        tally: is counted up.
        bounds: on what it does at once.
        skip_lost: whether to go on behind what the log has lost.
        report: told now and then how far it is.
    """

    def __init__(
        self,
        ports: Ports,
        tally: Tally,
        bounds: Bounds,
        *,
        skip_lost: bool = False,
        report: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        self._ports = ports
        self._skip_lost = skip_lost
        self._bounds = bounds
        self._report = report
        self._writer = StretchWriter(ports.files, ports.decoder)
        self._tally = tally

    async def run(self, events: Sequence[type[Event]], until_ms: int | None = None) -> None:
        """Export what is there now.

        Args:
            events: the types.
            until_ms: end in each partition before its first record of this time or later, Unix milliseconds.

        Raises:
            Gone: the log has lost what comes next.
            Conflict: what is written down does not fit the log, or the bucket.
            LogUnavailable, StoreUnavailable: run it again, it goes on where it was.
        """
        by_topic: dict[str, list[str]] = {}
        for event in events:
            by_topic.setdefault(topic_of(event).name, []).append(event.type)
        holdings = {name: await self._holdings(name, until_ms) for name in by_topic}
        # Asked behind the ends: whatever growth they go beyond is known then.
        topics = [await self._topic(name, wanted, holdings[name]) for name, wanted in by_topic.items()]
        self._tally.total = sum(topic.left() for topic in topics)
        for topic in topics:
            await self._export(topic)

    async def _holdings(self, topic: str, until_ms: int | None) -> list[Holding]:
        slices = await self._ports.reader.whole(topic)
        ends = {one.partition: one.end or 0 for one in slices}
        goals = ends
        if until_ms is not None:
            goals = {one.partition: one.begin for one in await self._ports.reader.since(slices, until_ms)}
        return [Holding(one.partition, one.begin, ends[one.partition], goals[one.partition]) for one in slices]

    async def _topic(self, name: str, types: Sequence[str], holdings: Sequence[Holding]) -> Topic:
        history = await self._ports.growths.of(name)
        return Topic(name, types, holdings, await self._ports.positions.of(name), history)

    async def _export(self, topic: Topic) -> None:
        witness = Witness(self._ports.files, topic.name)
        await witness.read()
        while True:
            topic = replace(topic, noted=await self._ports.positions.of(topic.name))
            witness.require(topic.noted)
            await witness.put(topic.noted)
            await self._require_whole(topic)
            stretches = next_stretches(topic)
            if not stretches:
                return
            for one in await self._planned(topic, stretches):
                written = await self._writer.write(one.stretch, topic.history, one.records)
                if await self._finish(one.stretch):
                    self._count(one.stretch, written)

    async def _require_whole(self, topic: Topic) -> None:
        for held in topic.holdings:
            place, lost = f"{topic.name}/{held.partition}", topic.lost(held, topic.types)
            if topic.furthest(held) > held.end:
                # Another export may have come further meanwhile.
                _, end = await self._ports.reader.bounds(topic.name, held.partition)
                if topic.furthest(held) > end:
                    detail = f"{place} is exported up to {topic.furthest(held)} and ends at {end}: it is another log's"
                    raise Conflict("ahead-of-log", detail)
            if lost > 0 and not self._skip_lost:
                raise Gone(
                    "log-lost",
                    f"{place} is exported up to {held.first - lost}, and the log holds it from {held.first} on: "
                    f"{lost} offsets are gone. --skip-lost goes on behind them",
                )

    async def _planned(self, topic: Topic, stretches: Sequence[Stretch]) -> list[Records]:
        """Read stretches, decide where each ends, and write that down; those with which nobody else was quicker."""
        read = await records_of(self._ports.reader, stretches, self._bounds.records, self._bounds.size_bytes)
        ours = await asyncio.gather(*(self._plan(topic, one.stretch) for one in read))
        return [one for one, applied in zip(read, ours, strict=True) if applied]

    async def _plan(self, topic: Topic, stretch: Stretch) -> bool:
        if stretch.planned:
            return True
        noted = topic.noted_of(stretch.partition)
        if not await self._ports.positions.change(topic.name, stretch.partition, noted, planned(noted, stretch)):
            return False
        held = next(one for one in topic.holdings if one.partition == stretch.partition)
        self._tally.topics[topic.name].lost += topic.lost(held, stretch.types)
        return True

    async def _finish(self, stretch: Stretch) -> bool:
        """Write down that a stretch is done; False where somebody has."""
        while True:
            noted = (await self._ports.positions.of(stretch.topic)).get(stretch.partition, NOTHING)
            types = finished(noted, stretch)
            if types is None:
                return False
            if await self._ports.positions.change(stretch.topic, stretch.partition, noted, types):
                return True

    def _count(self, stretch: Stretch, written: Written) -> None:
        for name, tally in written.types.items():
            self._tally.types[name].add(tally)
        self._tally.topics[stretch.topic].undecodable += written.beside.undecodable
        self._tally.topics[stretch.topic].misplaced += written.beside.misplaced
        self._tally.done += stretch.end - stretch.begin
        self._report(self._tally)
