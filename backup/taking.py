"""Making a backup, or bringing one up to date, while everything goes on.

1. The log, up to where it ended when it was asked. If that took long, once more from there.
2. The registry: whoever appended a record had registered its schema before.
3. What lives outside the log. It is read after the log, so that everyone's key is there whose record is, and every
   name, password and reservation that an event in the log stands on.
4. The photographs, where they are asked for or were before. They are read after the events that name them.
5. Which accounts came into being between 1 and 3: they are in the tables, and their creation is not in the log.
6. The list of erased accounts, and the manifest. From here on the new backup counts.
7. What the new manifest does not name is removed: records that retention took, and people's keys of before.

Whoever dies in between leaves the backup that was there before whole, and the next run finds the segments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from backup.copying import SEGMENT_BYTES, Copying, Wanted
from backup.erased import write_erased
from backup.manifest import Manifest, MediaFile, PartitionCopy, SchemaVersion, read_manifest, write_manifest
from backup.media import Bucket, MediaCopying, clean_media
from backup.segments import LOG
from backup.shelf import Shelf
from backup.snapshot import Snapshot
from backup.survey import OURS, Ledger, Survey, surveyed
from backup.table_files import TABLES
from backup.tables import Tables
from backup.topics import Topics
from photolog.errors import Conflict
from photolog.log.record import StoredRecord
from photolog.log.replaying import Reader
from photolog.log.slices import Place, Slice
from schemas.events import AccountCreated
from schemas.topics import ACCOUNTS

UNFINISHED = "unfinished.json"
_ROUNDS_MAX = 3
_SHORT_MS = 60_000


class Registry(Protocol):
    """What of `backup.schema_ids.Registry` is needed."""

    def versions(self) -> list[SchemaVersion]:
        """Every version of every subject of ours."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a backup is made from.

    Args:
        reader: reads the log.
        topics: Kafka otherwise.
        ledger: how topics have grown.
        registry: the schemas.
        tables: what lives outside the log.
        keys: fingerprints of the settings' keys.
    """

    reader: Reader
    topics: Topics
    ledger: Ledger
    registry: Registry
    tables: Tables
    keys: dict[str, str]


class Progress(Protocol):
    """Is told how far a backup is."""

    def begin(self, what: str, total: int | None) -> None:
        """A part begins, of so many records or rows where that is known."""

    def advance(self, count: int) -> None:
        """So many more are done."""


class Unfinished(msgspec.Struct, frozen=True):
    """That a run began and has not ended; when, in Unix milliseconds."""

    began_ms: int


class Taking:
    """One run.

    Args:
        sources: what it is made from.
        shelf: where to.
        progress: is told how far it is.
        clock_ms: Unix milliseconds.
        bucket: the photographs.
        media: whether to copy them, too. A backup that has any is always brought up to date: what was erased is to go.
        segment_bytes: see `Copying`.
    """

    def __init__(
        self,
        sources: Sources,
        shelf: Shelf,
        progress: Progress,
        clock_ms: Callable[[], int],
        bucket: Bucket,
        media: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self._sources = sources
        self._shelf = shelf
        self._progress = progress
        self._clock_ms = clock_ms
        self._bucket = bucket
        self._wants_media = media
        self._copying = Copying(sources.reader, shelf, progress.advance, segment_bytes)

    async def run(self) -> Manifest:
        """Make the backup; what it says of itself.

        Raises:
            Conflict: a topic is growing, or this is another log than the one that was backed up there.
            Corruption: the log lacks an offset.
            LogUnavailable, StoreUnavailable: run it again; it goes on.
        """
        before = await read_manifest(self._shelf)
        broken_off = await self._shelf.get(UNFINISHED) is not None
        began_ms = self._clock_ms()
        await self._shelf.put(UNFINISHED, msgspec.json.encode(Unfinished(began_ms)))
        survey, partitions = await self._log(before, broken_off)
        self._progress.begin("what lives outside the log", None)
        snapshot = Snapshot(self._sources.tables, self._shelf, str(began_ms), self._progress.advance)
        manifest = Manifest(
            began_ms=began_ms,
            ends_ms=survey.at_ms,
            keys=self._sources.keys,
            topics=survey.copies(partitions),
            groups=survey.groups,
            schemas=tuple(self._sources.registry.versions()),
            tables=await snapshot.run(),
            media=await self._media(before, str(began_ms)),
            unborn=await self._unborn(survey),
        )
        await write_erased(self._sources.tables, self._shelf)
        if await read_manifest(self._shelf) != before:
            raise Conflict("two-backups", f"somebody else backs up to {self._shelf.label}, too: run one at a time")
        await write_manifest(self._shelf, manifest)
        await self._clean(before, manifest, broken_off)
        await self._shelf.delete(UNFINISHED)
        return manifest

    async def _log(self, before: Manifest | None, broken_off: bool) -> tuple[Survey, dict[Place, PartitionCopy]]:
        """Copy the log, once more where that took so long that much came since."""
        topic_ids = {topic.topic: topic.topic_id for topic in before.topics} if before else {}
        partitions = {
            (topic.topic, one.partition): one for topic in (before.topics if before else ()) for one in topic.partitions
        }
        for _ in range(_ROUNDS_MAX):
            survey = await surveyed(self._sources.topics, self._sources.ledger, OURS, self._clock_ms())
            _check_incarnations(survey, topic_ids, self._shelf.label)
            self._progress.begin("the log", sum(one.end - one.begin for one in survey.bounds.values()))
            wanted = [
                Wanted(place, survey.topics[place[0]].topic_id, bounds, partitions.get(place))
                for place, bounds in survey.bounds.items()
            ]
            partitions = dict(await self._copying.run(wanted, adopt=broken_off))
            topic_ids = {name: here.topic_id for name, here in survey.topics.items()}
            broken_off = False
            if self._clock_ms() - survey.at_ms < _SHORT_MS:
                break
        return survey, partitions

    async def _media(self, before: Manifest | None, folder: str) -> tuple[MediaFile, ...]:
        there = before.media if before else ()
        if not there and not self._wants_media:
            return ()
        self._progress.begin("photographs", None)
        return await MediaCopying(self._bucket, self._shelf, folder, self._progress.advance).run(there)

    async def _unborn(self, survey: Survey) -> tuple[int, ...]:
        """The accounts whose creation lies behind the ends that were copied."""
        now = await self._sources.topics.bounds([ACCOUNTS.name] if ACCOUNTS.name in survey.topics else [])
        slices = [
            Slice(*place, survey.bounds[place].end, bounds.end)
            for place, bounds in now.items()
            if survey.bounds[place].end < bounds.end
        ]
        unborn: set[int] = set()
        if slices:
            async for batch in self._sources.reader.read(slices):
                unborn |= {int(record.key or b"0") for record in batch.records if _creates(record)}
        return tuple(sorted(unborn))

    async def _clean(self, before: Manifest | None, manifest: Manifest, broken_off: bool) -> None:
        """Remove what no manifest names any more. Tables are looked through each time: they hold people's keys."""
        names = manifest.names()
        for name in (before.names() if before else set()) - names:
            await self._shelf.delete(name)
        media = before.media if before else ()
        await clean_media(self._shelf, media, manifest.media, broken_off=broken_off)
        for prefix in (TABLES, LOG) if broken_off else (TABLES,):
            async for found in self._shelf.names(prefix):
                for name in set(found) - names:
                    await self._shelf.delete(name)


def _creates(record: StoredRecord) -> bool:
    """Whether a record of `accounts`, whose key is the account's id, brings one into being."""
    return record.header("ce_type") == AccountCreated.type.encode() and (record.key or b"").isdigit()


def _check_incarnations(survey: Survey, topic_ids: dict[str, str], label: str) -> None:
    for name, topic_id in topic_ids.items():
        here = survey.topics.get(name)
        if here is None or here.topic_id != topic_id:
            raise Conflict(
                "another-log",
                f"topic {name} is not the one that was backed up to {label}: it was deleted or made again, as a "
                "restore does. Choose another place, and keep the old one as long as you need it",
            )
