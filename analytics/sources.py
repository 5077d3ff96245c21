"""The events of a type: those in files, and those that came since, with no gap and no repeat between the two.

A file is taken whose stretch is finished for good, which the position tells that was read beforehand; the log from that
very position on. Whatever an export does meanwhile is neither missing nor there twice.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from analytics.columns import from_parquet, recorded_of
from analytics.exporting import Ports
from analytics.layout import ExportFile, hour_of, hour_prefix, parsed, type_prefix
from photolog.errors import Gone
from photolog.log.ends import Ends
from photolog.log.growth import is_misplaced
from photolog.log.slices import Place, Slice
from projections.fold import Recorded
from schemas.events import Event
from schemas.topics import topic_of


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time.

    Args:
        since_ms: its first instant, Unix milliseconds; None for the beginning.
        until_ms: the instant behind it; None where it does not end.
    """

    since_ms: int | None = None
    until_ms: int | None = None

    def __contains__(self, at_ms: int) -> bool:
        return (self.since_ms is None or at_ms >= self.since_ms) and (self.until_ms is None or at_ms < self.until_ms)

    def touches(self, hour_ms: int) -> bool:
        """Whether any of an hour may be in it."""
        since, until = self.since_ms, self.until_ms
        return (since is None or hour_ms >= hour_of(since)) and (until is None or hour_ms < until)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where events come from.

    Args:
        ports: what an export works with.
    """

    ports: Ports

    async def exported_to(self, events: Sequence[type[Event]]) -> dict[str, dict[int, int]]:
        """How far some types are exported: for each the next offset of each partition. Raises StoreUnavailable."""
        found: dict[str, dict[int, int]] = {}
        for event in events:
            noted = await self.ports.positions.of(topic_of(event).name)
            found[event.type] = {
                partition: one.types[event.type].next_offset
                for partition, one in noted.items()
                if event.type in one.types
            }
        return found

    async def in_files(
        self, event: type[Event], exported: Mapping[int, int], span: Span
    ) -> AsyncIterator[list[Recorded]]:
        """The events of a type that are exported, a file at a time.

        Args:
            event: the type.
            exported: its next offset in each partition.
            span: the time in which they happened.

        Raises:
            StoreUnavailable: the bucket did not answer.
        """
        prefix = type_prefix(event.type)
        after = "" if span.since_ms is None else hour_prefix(event.type, hour_of(span.since_ms))
        async for keys in self.ports.files.keys(prefix, after):
            for file in filter(None, map(parsed, keys)):
                if not span.touches(file.hour_ms):
                    return
                if _is_finished(file, event, exported):
                    rows = recorded_of(event, from_parquet(await self.ports.files.get(file.key)))
                    yield [one for one in rows if one.timestamp_ms in span]

    async def in_log(
        self, event: type[Event], exported: Mapping[int, int], ends: Ends, span: Span
    ) -> AsyncIterator[list[Recorded]]:
        """The events of a type that no file has yet, a batch at a time.

        An event may come twice under one id, here and in a file, as the log may hold it twice.

        Args:
            event: the type.
            exported: its next offset in each partition.
            ends: where to stop.
            span: the time in which they happened.

        Raises:
            Gone: the log has lost what is in no file.
            LogUnavailable: the broker did not answer.
        """
        topic = topic_of(event).name
        history = await self.ports.growths.of(topic)
        slices = [await self._left(place, exported, end) for place, end in ends.items() if place[0] == topic]
        if span.since_ms is not None:
            slices = await self.ports.reader.since(slices, span.since_ms)
        async for batch in self.ports.reader.read(slices):
            placed = [one for one in batch.records if one.timestamp_ms in span and not is_misplaced(history, one)]
            decoded, _ = await self.ports.decoder.decode(placed)
            yield [one for one in decoded if type(one.event) is event]

    async def _left(self, place: Place, exported: Mapping[int, int], end: int) -> Slice:
        """What of a partition is in no file."""
        first, _ = await self.ports.reader.bounds(*place)
        begin = exported.get(place[1], first)
        if begin < first:
            raise Gone("log-lost", f"files hold {place[0]}/{place[1]} up to {begin}, and the log from {first} on")
        return Slice(*place, min(begin, end), end)


def _is_finished(file: ExportFile, event: type[Event], exported: Mapping[int, int]) -> bool:
    return file.topic == topic_of(event).name and file.begin < exported.get(file.partition, 0)
