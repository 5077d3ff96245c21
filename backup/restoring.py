"""Making a system from a backup: an empty one, which nobody uses yet.

1. The settings hold the keys of then, and nothing is in the way.
2. The registry gives every schema the id that records carry.
3. A marker: from here on this system is one that is being restored from this backup.
4. Topics with their partitions; what lives outside the log, people's keys before anything that they open; photographs,
   where they are asked for.
5. The log, record by record, and read again: every digest is that of the manifest.
6. What consumer groups had committed, and the retention that topics had. The marker says that it is done.

No read model is restored: the jobs fold the log from its beginning. Whoever dies in between runs it again.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from backup.avro_files import checked, digest_of
from backup.fingerprints import check_fingerprints
from backup.manifest import Manifest, PartitionCopy, TableFile, TopicCopy
from backup.marker import Marker, Markers
from backup.media import Bucket, restore_media
from backup.outside import KEPT
from backup.refilling import Refilling, Restored, check_fillable
from backup.repairs import Repairs
from backup.schema_ids import Registry, restore_ids
from backup.shelf import Shelf
from backup.table_files import Row, rows_of
from backup.tables import Tables
from backup.taking import Progress
from backup.target import in_the_way, refuse
from backup.topics import Topics
from photolog import seal
from photolog.errors import Conflict, Corruption, NotFound
from photolog.settings import SecretSettings, key_bytes


@dataclass(frozen=True, slots=True)
class Targets:
    """What is restored into.

    Args:
        topics: Kafka.
        tables: Cassandra.
        registry: the schemas.
        redis: a client.
        markers: keep how far it is.
        refilling: restores topics.
        bucket: where photographs are put back; None to leave them out.
        secrets: the settings' keys.
    """

    topics: Topics
    tables: Tables
    registry: Registry
    redis: Any
    markers: Markers
    refilling: Refilling
    bucket: Bucket | None
    secrets: SecretSettings


class Restoring:
    """One restore, from its beginning or from where one before it ended.

    Args:
        manifest: the backup.
        shelf: where it is.
        targets: what is restored into.
        erased: accounts that are erased since.
        without: topics with a retention that are to be left empty.
        progress: is told how far it is.
        now_ms: Unix milliseconds.

    Raises:
        NotFound: the backup has no such topic.
        Conflict: a topic of `without` keeps its records for ever.
    """

    def __init__(
        self,
        manifest: Manifest,
        shelf: Shelf,
        targets: Targets,
        erased: frozenset[int],
        without: frozenset[str],
        progress: Progress,
        now_ms: int,
    ) -> None:
        _check_without(manifest, without)
        self._manifest = manifest
        self._shelf = shelf
        self._targets = targets
        self._progress = progress
        self._now_ms = now_ms
        self._copies = [_emptied(one) if one.topic in without else one for one in manifest.topics]
        ends = {(one.topic, part.partition): part.end for one in self._copies for part in one.partitions}
        self._repairs = Repairs(ends, frozenset(manifest.unborn), erased, now_ms)
        self._name = digest_of(msgspec.json.encode((manifest, sorted(erased), sorted(without))))

    async def run(self) -> list[Restored]:
        """Restore; the topics, every record of which was read again.

        Raises:
            Conflict: the settings' keys are others, the system is not empty, or somebody else writes into it.
            Corruption: the backup is damaged, or what was restored is not what was copied.
            LogUnavailable, StoreUnavailable: run it again; it goes on.
        """
        check_fingerprints(self._targets.secrets, self._manifest.keys)
        check_fillable(self._copies)
        marker = await self._begin()
        await self._targets.refilling.prepare(self._copies)
        marker = await self._tables(marker)
        records = sum(one.records for one in self._copies)
        if self._targets.bucket is not None:
            self._progress.begin("photographs", sum(one.objects for one in self._manifest.media))
            await restore_media(self._shelf, self._targets.bucket, self._manifest.media, self._progress.advance)
        self._progress.begin("the log", records)
        for copy in self._copies:
            await self._targets.refilling.refill(copy)
        self._progress.begin("what was restored", records)
        restored = [await self._targets.refilling.proven(copy) for copy in self._copies]
        await self._finish()
        await self._moved(marker, msgspec.structs.replace(marker, state="done"))
        return restored

    async def _begin(self) -> Marker:
        names = [one.topic for one in self._copies]
        there = await self._targets.markers.read()
        if there is not None and there.state == "done":
            raise Conflict("restored", "this system was restored before: `migrate` does what may be left")
        if there is not None and there.backup != self._name:
            raise Conflict(
                "another-restore",
                "a restore from another backup, of other erased accounts or without other topics is under way in this "
                "system: finish it with the words of then, or begin with empty engines",
            )
        targets = self._targets
        refuse(await in_the_way(targets.topics, targets.tables, targets.redis, names, begun=there is not None))
        restore_ids(targets.registry, self._manifest.schemas)
        if there is not None:
            return there
        await targets.markers.begin(Marker(self._name))
        return Marker(self._name)

    async def _tables(self, marker: Marker) -> Marker:
        """The tables, a file after the other; those that an earlier run restored are only looked through."""
        self._progress.begin("what lives outside the log", sum(one.rows for one in self._manifest.tables))
        at = 0
        for table in KEPT:
            for file in [one for one in self._manifest.tables if one.table == table.name]:
                rows = [row async for row in self._rows(file)]
                at += 1
                if at > marker.files:
                    await self._targets.tables.write(table.name, rows, self._now_ms)
                    marker = await self._moved(marker, msgspec.structs.replace(marker, files=at))
                self._progress.advance(file.rows)
            await self._targets.tables.write(table.name, self._repairs.added(table.name), self._now_ms)
        await self._targets.tables.write("topic_growths", _growth_rows(self._copies), self._now_ms)
        return marker

    async def _rows(self, file: TableFile) -> AsyncIterator[Row]:
        data = checked(file.name, await self._shelf.get(file.name), file.file_digest)
        for row in rows_of(file, data):
            if (repaired := self._repairs.repaired(file.table, row)) is not None:
                _check_key(self._targets.secrets, file.table, repaired)
                yield repaired

    async def _finish(self) -> None:
        await self._targets.topics.commit(
            [one for one in self._manifest.groups if one.offset <= self._repairs.ends[one.topic, one.partition]]
        )
        await self._targets.refilling.finish(self._copies)

    async def _moved(self, before: Marker, after: Marker) -> Marker:
        await self._targets.markers.move(before, after)
        return after


def _growth_rows(copies: Sequence[TopicCopy]) -> list[Row]:
    """Growths as `photolog.log.growths` stores them."""
    return [
        {
            "topic": copy.topic,
            "epoch": one.epoch,
            "partitions_before": one.before,
            "partitions_after": one.after,
            "cuts": list(one.cuts),
            "state": "done",
        }
        for copy in copies
        for one in copy.growths
    ]


def _check_key(secrets: SecretSettings, table: str, row: Row) -> None:
    """Make sure that a person's key opens. The fingerprints were right, so this one would be damaged."""
    if table != "subject_keys" or row.get("wrapped_key") is None:
        return
    try:
        seal.unwrap(key_bytes(secrets.master_key), row["wrapped_key"])
    except InvalidUnwrap as error:
        raise Corruption(f"the master key does not open the key of {row['subject_id']}") from error


def _check_without(manifest: Manifest, without: frozenset[str]) -> None:
    topics = {one.topic: one for one in manifest.topics}
    for name in sorted(without):
        if name not in topics:
            raise NotFound("no-such-topic", f"the backup has no topic {name}", "--without")
        if topics[name].config.get("retention.ms", "-1") == "-1":
            raise Conflict(
                "kept-for-ever", f"{name} keeps its records for ever: read models are folded from it", "--without"
            )


def _emptied(copy: TopicCopy) -> TopicCopy:
    """A topic without its records, in which keys belong where its partitions of now put them."""
    empty = tuple(PartitionCopy(one.partition, 0, 0) for one in copy.partitions)
    return msgspec.structs.replace(copy, growths=(), partitions=empty)
