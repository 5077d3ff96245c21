"""A log in lists, a bucket and positions in dictionaries, and an export over them."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from msgspec.structs import replace

from analytics.bootstrap import NoKeys
from analytics.columns import from_parquet
from analytics.exporting import Bounds, Exporter, Ports
from analytics.layout import ExportFile, parsed
from analytics.stretches import NOTHING, Noted, Progress
from analytics.tally import Tally
from photolog.log.growth import Growth, History
from photolog.log.partitioner import partition_of
from photolog.log.record import StoredRecord
from photolog.log.slices import Place
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.topics import topic_of
from streams.decoding import Decoder
from tests.unit.photolog.kafka_client import MemoryClient
from tests.unit.streams.river import NOW_MS, SERDE, encoded

PAGE = 3
SMALL = Bounds(records=6, size_bytes=1 << 20)


class MemoryFiles:
    """A bucket that lists few keys at a time."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def keys(self, prefix: str, after: str = "") -> AsyncIterator[list[str]]:
        found = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        for start in range(0, len(found), PAGE):
            yield found[start : start + PAGE]

    async def get(self, key: str) -> bytes:
        return self.objects[key]

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self.objects[key] = data


class MemoryPositions:
    """How far exports are."""

    def __init__(self) -> None:
        self.noted: dict[Place, Noted] = {}

    async def of(self, topic: str) -> Mapping[int, Noted]:
        return {partition: noted for (name, partition), noted in self.noted.items() if name == topic}

    async def change(self, topic: str, partition: int, noted: Noted, types: Mapping[str, Progress]) -> bool:
        if self.noted.get((topic, partition), NOTHING).version != noted.version:
            return False
        self.noted[topic, partition] = Noted(noted.version + 1, dict(types))
        return True


class MemoryGrowths:
    """How topics have grown."""

    def __init__(self) -> None:
        self.history: dict[str, list[Growth]] = {}

    async def of(self, topic: str) -> History:
        return tuple(self.history.get(topic, ()))


@dataclass
class World:
    """A log with what is made of it.

    Args:
        partitions: of each topic, at first.
    """

    partitions: int = 2
    log: dict[Place, list[StoredRecord]] = field(default_factory=dict)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    positions: MemoryPositions = field(default_factory=MemoryPositions)
    growths: MemoryGrowths = field(default_factory=MemoryGrowths)
    lost: dict[Place, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for schema in SCHEMAS.values():
            self.log |= {(schema.topic.name, partition): [] for partition in range(self.partitions)}

    def count_of(self, topic: str) -> int:
        """How many partitions a topic has."""
        return sum(name == topic for name, _ in self.log)

    def append(self, event: Event, *, event_id: UUID | None = None, at_ms: int = NOW_MS) -> StoredRecord:
        """Append an event as a command does."""
        made = encoded(event, event_id=event_id, at_ms=at_ms)
        return self.append_record(
            StoredRecord(topic_of(type(event)).name, 0, 0, made.key, made.value, made.headers, made.timestamp_ms)
        )

    def append_record(self, record: StoredRecord) -> StoredRecord:
        """Append a record once more, where its key belongs now."""
        partition = partition_of(record.key or b"", self.count_of(record.topic))
        held = self.log[record.topic, partition]
        offset = held[-1].offset + 1 if held else self.lost.get((record.topic, partition), 0)
        held.append(replace(record, partition=partition, offset=offset))
        return held[-1]

    def grow(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        before = self.count_of(topic)
        cuts = tuple(self._end(topic, partition) for partition in range(before))
        self.growths.history.setdefault(topic, []).append(Growth(before, partitions, cuts))
        self.log |= {(topic, partition): [] for partition in range(before, partitions)}

    def lose(self, place: Place, count: int) -> None:
        """What retention does to the beginning of a partition."""
        self.lost[place] = self._end(*place)
        del self.log[place][:count]

    def ports(self, seed: int = 0, **replaced: object) -> Ports:
        """What an export works with."""
        ends = {place: end for place, end in self.lost.items() if not self.log[place]}
        client = MemoryClient(self.log, ends=ends, chaos=random.Random(seed))
        own: dict[str, object] = {
            "reader": client.reader(),
            "growths": self.growths,
            "positions": self.positions,
            "files": self.files,
            "decoder": Decoder(SERDE, NoKeys()),
        }
        return Ports(**(own | replaced))  # type: ignore[arg-type]

    async def export(
        self,
        events: Sequence[type[Event]],
        *,
        until_ms: int | None = None,
        skip_lost: bool = False,
        bounds: Bounds = SMALL,
    ) -> Tally:
        """One export."""
        tally = Tally()
        await Exporter(self.ports(), tally, bounds, skip_lost=skip_lost).run(events, until_ms)
        return tally

    def exported(self) -> list[tuple[ExportFile, list[dict[str, object]]]]:
        """Every file with its rows."""
        files = [(parsed(key), data) for key, data in sorted(self.files.objects.items())]
        return [(file, from_parquet(data).to_pylist()) for file, data in files if file is not None]

    def ids(self) -> list[str]:
        """The ids of all rows of all files."""
        return [str(row["event_id"]) for _, rows in self.exported() for row in rows]

    def _end(self, topic: str, partition: int) -> int:
        held = self.log[topic, partition]
        return held[-1].offset + 1 if held else self.lost.get((topic, partition), 0)
