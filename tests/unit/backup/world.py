"""A system in memory that is backed up and restored: Kafka, Cassandra, the registry and a shelf, as far as asked."""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from backup.fingerprints import fingerprints
from backup.manifest import GroupOffset, Manifest, SchemaVersion, manifest_of
from backup.marker import Marker
from backup.media import Bucket
from backup.outside import KEPT, KeptTable
from backup.refilling import Refilling, Restored
from backup.restoring import Restoring, Targets
from backup.survey import OURS
from backup.table_files import EXPIRES, Row
from backup.taking import Sources, Taking
from backup.topics import Bounds, TopicHere
from photolog import seal
from photolog.errors import Conflict
from photolog.log.bulk import Appended
from photolog.log.growths import GrowthRow
from photolog.log.record import StoredRecord
from photolog.log.slices import Place
from photolog.settings import SecretSettings, key_bytes
from tests.unit.mortal import Mortal
from tests.unit.photolog.kafka_client import MemoryClient

SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SECRETS = SecretSettings(access_token_key=SecretStr(SECRET), master_key=SecretStr(SECRET), hash_key=SecretStr(SECRET))
SEGMENT_BYTES = 4_000
NOW_MS = 1_790_000_000_000
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "subject_keys": {"subject_id": "bigint", "wrapped_key": "blob", "erased": "boolean"},
    "credentials": {"account_id": "bigint", "username": "text", "password_hash": "text", "version": "int"},
    "usernames": {
        "username": "text",
        "account_id": "bigint",
        "state": "text",
        "event_id": "uuid",
        "reserved_ms": "bigint",
        "password_hash": "text",
    },
    "resting_usernames": {"name_hash": "blob", "resting": "boolean"},
    "sessions": {"account_id": "bigint", "session_id": "bigint", "refresh_hash": "blob"},
    "reservations": {"scope": "text", "idempotency_key": "text", "outcome": "blob"},
    "uploads": {"media_id": "bigint", "owner_id": "bigint"},
    "upload_names": {"owner_id": "bigint", "client_upload_id": "text", "media_id": "bigint"},
    "contents": {
        "digest": "text",
        "holder": "bigint",
        "content_id": "bigint",
        "state": "text",
        "renewed_ms": "bigint",
        "version": "bigint",
        "holders": "int",
        "content": "blob",
    },
    "erasures": {"account_id": "bigint", "version": "int", "progress": "blob"},
    "open_erasures": {"bucket": "int", "account_id": "bigint"},
    "grants": {"bucket": "int", "grant_id": "text", "revoked_ms": "bigint", "form": "blob"},
    "letter_settlements": {
        "projection": "text",
        "topic": "text",
        "source": "int",
        "place": "bigint",
        "settlement": "text",
        "at_ms": "bigint",
    },
}
CALLS = ("put", "get", "delete", "append", "write", "create", "configure", "delete_before", "commit", "begin", "move")


@dataclass
class MemoryShelf:
    """A shelf; `heard` is told of every file that is written."""

    files: dict[str, bytes] = field(default_factory=dict)
    heard: Callable[[str], None] = lambda name: None
    label: str = "memory"

    async def put(self, name: str, data: bytes) -> None:
        self.heard(name)
        self.files[name] = data

    async def get(self, name: str) -> bytes | None:
        return self.files.get(name)

    async def names(self, prefix: str) -> AsyncIterator[list[str]]:
        for name in list(self.files):
            if name.startswith(prefix):
                yield [name]

    async def delete(self, name: str) -> None:
        self.files.pop(name, None)


@dataclass
class MemoryRegistry:
    """Numbers what it is given from 1 on; a text that is known keeps its number, and uses up another all the same."""

    texts: dict[int, str] = field(default_factory=dict)
    subjects: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    last: int = 0

    def versions(self) -> list[SchemaVersion]:
        found = [
            SchemaVersion(subject, version, schema_id, text)
            for (subject, text), (version, schema_id) in self.subjects.items()
            if not subject.startswith("photolog-filler")
        ]
        return sorted(found, key=lambda one: (one.schema_id, one.subject))

    def text(self, schema_id: int) -> str | None:
        return self.texts.get(schema_id)

    def register(self, subject: str, text: str) -> int:
        if (subject, text) in self.subjects:
            return self.subjects[subject, text][1]
        self.last += 1
        known = [schema_id for schema_id, other in self.texts.items() if other == text]
        schema_id = known[0] if known else self.last
        self.texts[schema_id] = text
        version = 1 + sum(name == subject for name, _ in self.subjects)
        self.subjects[subject, text] = (version, schema_id)
        return schema_id


@dataclass
class MemoryMarkers:
    """The marker of a restore."""

    marker: Marker | None = None

    async def read(self) -> Marker | None:
        return self.marker

    async def begin(self, marker: Marker) -> None:
        if self.marker is not None:
            raise Conflict("two-restores", "somebody else was quicker")
        self.marker = marker

    async def move(self, before: Marker, after: Marker) -> None:
        if self.marker != before:
            raise Conflict("two-restores", "somebody else was quicker")
        self.marker = after


@dataclass
class MemoryRedis:
    """How many keys there are."""

    keys: int = 0

    async def dbsize(self) -> int:
        return self.keys


class Heard:
    """Progress that nobody looks at."""

    def begin(self, what: str, total: int | None) -> None: ...

    def advance(self, count: int) -> None: ...


@dataclass
class System:
    """Everything that a backup and a restore ask for, in one: it is the topics, the tables and the appender itself."""

    here: dict[str, TopicHere] = field(default_factory=dict)
    log: dict[Place, list[StoredRecord]] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    kept: dict[str, list[Row]] = field(default_factory=dict)
    growths: dict[str, list[GrowthRow]] = field(default_factory=dict)
    offsets: dict[tuple[str, Place], int] = field(default_factory=dict)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    markers: MemoryMarkers = field(default_factory=MemoryMarkers)
    redis: MemoryRedis = field(default_factory=MemoryRedis)
    now_ms: int = NOW_MS

    def migrate(self, partitions: int = 2) -> "System":
        """With all topics of ours."""
        for name in OURS:
            self._make(name, partitions, {"retention.ms": "-1", "cleanup.policy": "delete"})
        return self

    def live(self, chance: random.Random, records: int) -> None:
        """Append records of any kind."""
        for _ in range(records):
            place = chance.choice(sorted(self.log)[:6])
            key = chance.choice([None, b"", b"key", chance.randbytes(3)])
            value = chance.choice([None, b"", chance.randbytes(chance.randrange(400))])
            headers = tuple(
                (chance.choice(["ce_id", "h"]), chance.choice([None, b"", b"value"]))
                for _ in range(chance.randrange(3))
            )
            self.add(*place, key, value, headers, chance.choice([1, NOW_MS, NOW_MS - 5]))

    def add(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None = b"value",
        headers: tuple[tuple[str, bytes | None], ...] = (),
        timestamp_ms: int = NOW_MS,
    ) -> None:
        """Append a record."""
        place = (topic, partition)
        self.log[place].append(StoredRecord(topic, partition, self.ends[place], key, value, headers, timestamp_ms))
        self.ends[place] += 1

    def person(self, account_id: int) -> None:
        """What stands outside the log for an account that signed up."""
        wrapped = seal.wrap(key_bytes(SECRETS.master_key), seal.new_key())
        name = f"name_{account_id}"
        self.row("subject_keys", subject_id=account_id, wrapped_key=wrapped, erased=False)
        self.row("credentials", account_id=account_id, username=name, password_hash=f"hash {account_id}", version=1)
        self.row(
            "usernames",
            username=name,
            account_id=account_id,
            state="taken",
            event_id=uuid4(),
            reserved_ms=5,
            password_hash=None,
        )
        self.row("sessions", expires_ms=self.now_ms + 60_000, account_id=account_id, session_id=9, refresh_hash=b"r")

    def row(self, table: str, expires_ms: int | None = None, **values: Any) -> None:
        """Store a row."""
        self.kept.setdefault(table, []).append({**values, EXPIRES: expires_ms})

    def stored(self, table: str, **key: Any) -> list[Row]:
        """The rows that have these values."""
        return [row for row in self.kept.get(table, []) if all(row.get(name) == value for name, value in key.items())]

    async def described(self, topics: Iterable[str]) -> Mapping[str, TopicHere]:
        return {name: self.here[name] for name in topics if name in self.here}

    async def bounds(self, topics: Sequence[str]) -> Mapping[Place, Bounds]:
        return {
            place: Bounds(records[0].offset if records else self.ends[place], self.ends[place])
            for place, records in self.log.items()
            if place[0] in topics
        }

    async def committed(self, group: str, topic: str) -> Sequence[GroupOffset]:
        return [GroupOffset(group, *place, at) for (name, place), at in self.offsets.items() if name == group]

    async def commit(self, offsets: Sequence[GroupOffset]) -> None:
        self.offsets |= {(one.group, (one.topic, one.partition)): one.offset for one in offsets}

    async def create(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        self._make(topic, partitions, config)

    async def add_partitions(self, topic: str, partitions: int) -> None:
        config = self.here[topic].config
        for partition in range(self.here[topic].partitions, partitions):
            self.log[topic, partition], self.ends[topic, partition] = [], 0
        self.here[topic] = TopicHere(self.here[topic].topic_id, partitions, config)

    async def configure(self, topic: str, config: Mapping[str, str | None]) -> None:
        merged = {**self.here[topic].config, **config}
        kept = {name: value for name, value in merged.items() if value is not None}
        self.here[topic] = replace(self.here[topic], config=kept)

    async def delete_before(self, place: Place, offset: int) -> None:
        self.log[place][:] = [one for one in self.log[place] if one.offset >= offset]

    async def append(self, records: Sequence[Appended]) -> None:
        for one in records:
            assert one.partition is not None
            self.add(one.topic, one.partition, one.key, one.value, tuple(one.headers), one.timestamp_ms)

    async def columns(self, table: str) -> Mapping[str, str]:
        return COLUMNS[table]

    async def rows(self, table: KeptTable) -> AsyncIterator[list[Row]]:
        for row in list(self.kept.get(table.name, [])):
            yield [{**dict.fromkeys(COLUMNS[table.name]), **row}]

    async def write(self, table: str, rows: Sequence[Row], now_ms: int) -> None:
        for row in rows:
            there = self.kept.setdefault(table, [])
            if table == "topic_growths":
                self._grow(row)
            elif row not in there and (row.get(EXPIRES) or now_ms + 1) > now_ms:
                there.append(row)

    async def holds_any(self, table: str) -> bool:
        return bool(self.kept.get(table))

    async def growth_rows(self, topic: str, *, serial: bool = False) -> list[GrowthRow]:
        return self.growths.get(topic, [])

    def _grow(self, row: Row) -> None:
        there = self.growths.setdefault(row["topic"], [])
        growth = GrowthRow(
            row["epoch"], row["partitions_before"], row["partitions_after"], row["state"], tuple(row["cuts"])
        )
        if growth not in there:
            there.append(growth)

    def _make(self, name: str, partitions: int, config: Mapping[str, str]) -> None:
        self.here[name] = TopicHere(str(uuid4()), partitions, dict(config))
        for partition in range(partitions):
            self.log[name, partition], self.ends[name, partition] = [], 0


@dataclass
class _Ledger:
    system: System

    async def rows(self, topic: str, *, serial: bool = False) -> list[GrowthRow]:
        return await self.system.growth_rows(topic)


def never() -> dict[str, Any]:
    """A death that does not come."""
    return {"left": 0, "after": False}


async def back_up(
    system: System,
    shelf: MemoryShelf,
    calls: dict[str, Any] | None = None,
    chance: random.Random | None = None,
    bucket: Any = None,
    media: bool = False,
) -> Manifest:
    """One run, whose process may die."""
    calls = calls or never()
    client = MemoryClient(system.log, system.ends, chance or random.Random(0))
    sources = Sources(
        reader=client.reader(),
        topics=system,
        ledger=_Ledger(system),
        registry=system.registry,
        tables=system,
        keys=fingerprints(SECRETS),
    )
    port = Mortal(shelf, calls, CALLS)
    # A bucket that is not given is one that nobody is to ask for anything.
    return await Taking(sources, port, Heard(), lambda: system.now_ms, bucket, media, SEGMENT_BYTES).run()


async def restore(
    shelf: MemoryShelf,
    system: System,
    calls: dict[str, Any] | None = None,
    erased: Iterable[int] = (),
    without: Iterable[str] = (),
    bucket: Bucket | None = None,
    secrets: SecretSettings = SECRETS,
) -> list[Restored]:
    """One attempt, whose process may die."""
    calls = calls or never()
    port = Mortal(system, calls, CALLS)
    reader = MemoryClient(system.log, system.ends).reader()
    refilling = Refilling(shelf, port, reader, port, lambda count: None, batch_records=3)
    markers = Mortal(system.markers, calls, CALLS)
    targets = Targets(port, port, system.registry, system.redis, markers, refilling, bucket, secrets)
    manifest = await manifest_of(shelf)
    restoring = Restoring(manifest, shelf, targets, frozenset(erased), frozenset(without), Heard(), system.now_ms)
    return await restoring.run()


def names_of(shelf: MemoryShelf) -> set[str]:
    """The files of a backup, but for those that stand beside the manifest."""
    return {name for name in shelf.files if "/" in name}


ALL_TABLES = tuple(table.name for table in KEPT)
