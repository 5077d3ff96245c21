"""A stretch of the log as files: its events by type and hour, each unless an earlier record brought it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.columns import table_of, to_parquet
from analytics.layout import TIME_MS_MAX, ExportFile, hour_of
from analytics.repeats import Files, Repeats
from analytics.stretches import Stretch
from analytics.tally import TopicTally, TypeTally
from photolog.log.growth import History, is_misplaced
from photolog.log.record import StoredRecord
from projections.fold import Recorded
from schemas.events import Event
from streams.decoding import Decoder

PARQUET = "application/vnd.apache.parquet"
_DECODED_AT_ONCE = 2_000
_FILES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a stretch: of each type, and beside them."""

    types: Mapping[str, TypeTally]
    beside: TopicTally


class StretchWriter:
    """Writes stretches.

    Args:
        files: the bucket.
        decoder: makes events of records, without a key of anybody's.
    """

    def __init__(self, files: Files, decoder: Decoder) -> None:
        self._files = files
        self._decoder = decoder
        self._repeats = Repeats(files)

    async def write(self, stretch: Stretch, history: History, records: Sequence[StoredRecord]) -> Written:
        """Write all files of a stretch.

        Args:
            stretch: the stretch, whose end is decided.
            history: how its topic has grown.
            records: all of its records.

        Raises:
            StoreUnavailable: not all of them may be there; doing it again is safe.
        """
        by_type, beside = await self._events(stretch, history, records)
        tallies = {name: TypeTally(repeats=len(rows) - len(_firsts(rows))) for name, rows in by_type.items()}
        hours = [(name, hour, rows) for name, held in by_type.items() for hour, rows in _by_hour(_firsts(held))]
        room = asyncio.Semaphore(_FILES_AT_ONCE)

        async def written(hour_ms: int, rows: Sequence[Recorded]) -> TypeTally:
            async with room:
                return await self._file(stretch, history, hour_ms, rows)

        for (name, _, _), tally in zip(
            hours, await asyncio.gather(*(written(hour, rows) for _, hour, rows in hours)), strict=True
        ):
            tallies[name].add(tally)
        return Written(tallies, beside)

    async def _events(
        self, stretch: Stretch, history: History, records: Sequence[StoredRecord]
    ) -> tuple[Mapping[str, list[Recorded]], TopicTally]:
        """The events of the stretch's types, in the log's order, and what is none."""
        found: defaultdict[str, list[Recorded]] = defaultdict(list)
        beside = TopicTally()
        for start in range(0, len(records), _DECODED_AT_ONCE):
            part = records[start : start + _DECODED_AT_ONCE]
            placed = [one for one in part if not is_misplaced(history, one)]
            timed = [one for one in placed if 0 <= one.timestamp_ms < TIME_MS_MAX]
            events, dead = await self._decoder.decode(timed)
            beside.misplaced += len(part) - len(placed)
            beside.undecodable += len(placed) - len(timed) + len(dead)
            for one in events:
                if one.event.type in stretch.types:
                    found[one.event.type].append(one)
        return found, beside

    async def _file(self, stretch: Stretch, history: History, hour_ms: int, rows: Sequence[Recorded]) -> TypeTally:
        event = type(rows[0].event)
        earlier = await self._repeats.of(stretch, history, event.type, hour_ms, rows)
        new = [one for one in rows if str(one.event_id) not in earlier]
        if not new:
            return TypeTally(repeats=len(rows))
        data = await asyncio.to_thread(_parquet, event, new)
        file = ExportFile(event.type, hour_ms, stretch.topic, stretch.partition, stretch.begin)
        await self._files.put(file.key, data, PARQUET)
        return TypeTally(events=len(new), files=1, size_bytes=len(data), repeats=len(rows) - len(new))


def _parquet(event: type[Event], rows: Sequence[Recorded]) -> bytes:
    return to_parquet(table_of(event, rows))


def _firsts(rows: Sequence[Recorded]) -> list[Recorded]:
    """The first record of each event."""
    return list({one.event_id: one for one in reversed(rows)}.values())[::-1]


def _by_hour(rows: Sequence[Recorded]) -> list[tuple[int, list[Recorded]]]:
    found: defaultdict[int, list[Recorded]] = defaultdict(list)
    for one in rows:
        found[hour_of(one.timestamp_ms)].append(one)
    return sorted(found.items())
