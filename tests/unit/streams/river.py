"""The whole river in memory: a log with partitions, every job, every store. One object is one world."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from photolog.errors import LogUnavailable
from photolog.ids import new_event_id
from photolog.log.growth import NeverGrown
from photolog.log.record import EncodedRecord, StoredRecord, event_headers
from photolog.positions import Position
from projections.cards import cache_writes
from projections.posts import POSTS
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.memory_recent import MemoryRecent
from projections.stores.memory_rows import MemoryRows
from projections.stores.memory_seen import MemorySeen
from projections.tables import Row
from schemas.events import Event
from schemas.serde import SCHEMAS, Serde
from schemas.topics import topic_of
from streams.jobs import JobResources, Steps, live_steps
from streams.publication import ReachRule

PARTITIONS = 4
NOW_MS = 1_790_000_000_000
SERDE = Serde({event: number for number, event in enumerate(SCHEMAS, start=1)})


class MemoryLog:
    """Topics with four partitions. `away` makes it refuse as many appends."""

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], list[StoredRecord]] = {}
        self.away = 0

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        if self.away > 0:
            self.away -= 1
            raise LogUnavailable("away")
        return [self.append(record) for record in records]

    def append(self, record: EncodedRecord) -> Position:
        partition = zlib.crc32(record.key) % PARTITIONS
        held = self.partitions.setdefault((record.topic, partition), [])
        held.append(
            StoredRecord(
                record.topic, partition, len(held), record.key, record.value, record.headers, record.timestamp_ms
            )
        )
        return Position(record.topic, partition, len(held) - 1)

    def of(self, topic: str) -> list[StoredRecord]:
        """All records of a topic."""
        return [record for (name, _), records in sorted(self.partitions.items()) if name == topic for record in records]


class OpenKeys:
    """A key for everyone but those who are erased."""

    def __init__(self) -> None:
        self.erased: set[int] = set()
        self._ensured: set[int] = set()

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        self._ensured.update(subject_ids)

    def key_of(self, subject_id: int) -> bytes | None:
        if subject_id not in self._ensured:
            raise KeyError(subject_id)
        return None if subject_id in self.erased else bytes(31) + bytes([subject_id % 251])


def encoded(
    event: Event, *, event_id: UUID | None = None, at_ms: int = NOW_MS, correlation: str = "c"
) -> EncodedRecord:
    """A command's record."""
    topic = topic_of(type(event))
    return EncodedRecord(
        topic=topic.name,
        key=topic.key(event).encode(),
        value=SERDE.encode(event, lambda subject: bytes(31) + bytes([subject % 251])),
        headers=event_headers(event_id or new_event_id(), event.type, at_ms, correlation),
        timestamp_ms=at_ms,
    )


@dataclass
class River:
    """A world, and the one engine that moves it: `pump`."""

    log: Any = field(default_factory=MemoryLog)
    rows: Any = field(default_factory=MemoryRows)
    timelines: Any = field(default_factory=lambda: MemoryTimelines(entries_max=50))
    recent: Any = field(default_factory=MemoryRecent)
    seen: Any = field(default_factory=lambda: MemorySeen(lambda: NOW_MS))
    cache: Any = field(default_factory=lambda: MemoryCache(clock_ms=lambda: NOW_MS))
    keys: OpenKeys = field(default_factory=OpenKeys)
    celebrity_followers: int = 100
    return_percent: int = 90
    chunk_followers: int = 1_000
    growths: Any = field(default_factory=NeverGrown)
    clock_ms: Callable[[], int] = lambda: NOW_MS
    story_life_ms: int = 86_400_000
    steps: Steps = field(init=False)
    read: dict[tuple[str, int], int] = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is remembered but what the stores hold."""
        self.steps = live_steps(
            JobResources(
                rows=self.rows,
                timelines=self.timelines,
                recent=self.recent,
                seen=self.seen,
                cache=self.cache,
                cache_form=cache_writes,
                log=self.log,
                serde=SERDE,
                keys=self.keys,
                reach=ReachRule(self.celebrity_followers, self.return_percent, self.chunk_followers),
                timeline_entries=50,
                clock_ms=self.clock_ms,
                story_life_ms=self.story_life_ms,
                growths=self.growths,
            )
        )
        self.read = {}

    def append(self, *events: Event, **options: Any) -> list[Position]:
        """Append commands' events."""
        return [self.log.append(encoded(event, **options)) for event in events]

    async def pump(self, batch_records: int = 3) -> None:
        """Run all jobs until none has anything left to do."""
        moved = True
        while moved:
            moved = False
            for place in sorted(self.log.partitions):
                moved = await self._turn(place, batch_records) or moved

    async def _turn(self, place: tuple[str, int], batch_records: int) -> bool:
        topic, partition = place
        if topic not in self.steps:
            return False
        if place not in self.read:
            positions = [await step.resume(topic, partition) for step in self.steps[topic]]
            self.read[place] = min(position or 0 for position in positions)
        batch = self.log.partitions[place][self.read[place] :][:batch_records]
        for step in self.steps[topic] if batch else ():
            await step.run(topic, partition, batch)
        self.read[place] += len(batch)
        return bool(batch)


def visible_rows(rows: MemoryRows) -> dict[tuple[str, Any], Row]:
    """Every row by its table and key."""
    return {
        (table, key): kept.row
        for (table, _), partition in rows._partitions.items()
        for key, kept in partition.items()
        if kept.row is not None
    }


def cached_fields(cache: MemoryCache) -> dict[tuple[str, str], bytes | None]:
    """Every cached value."""
    return {(key, name): value for key, entry in cache._entries.items() for name, (_, value) in entry.fields.items()}


async def feed_of(river: River, reader: int) -> list[int]:
    """The posts of a timeline, newest first."""
    page = await river.timelines.page(reader, before=None, limit=50)
    return [entry.post_id for entry in page.entries]


async def status_of(river: River, post_id: int) -> str:
    """A post's status."""
    post = await river.rows.get(POSTS.key(post_id))
    return "absent" if post is None else str(post.status)
