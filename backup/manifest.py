"""What a backup says of itself: written last and replaced whole, it names everything that belongs to the backup."""

from collections.abc import Iterator

import msgspec

from backup.shelf import Shelf
from photolog.errors import Corruption, NotFound
from photolog.log.slices import Place

MANIFEST = "manifest.json"
FORMAT = 1


class Segment(msgspec.Struct, frozen=True):
    """A stretch of a partition in one file.

    Args:
        name: the file's.
        first: the offset of its first record.
        end: the offset behind its last one; between the two no offset is missing.
        size_bytes: of the file.
        file_digest: of the file's bytes.
        records_digest: of its records, as `backup.segments.RecordsDigest` makes it.
    """

    name: str
    first: int
    end: int
    size_bytes: int
    file_digest: str
    records_digest: str


class PartitionCopy(msgspec.Struct, frozen=True):
    """A partition, as far as it was copied.

    Args:
        partition: its number.
        begin: where the log began, or what is copied does.
        end: the offset that its next record would have.
        segments: in order, from `begin` to `end` without a gap.
    """

    partition: int
    begin: int
    end: int
    segments: tuple[Segment, ...] = ()


class TopicGrowth(msgspec.Struct, frozen=True):
    """A growth, as `photolog.log.growths.GrowthRow` has it; all of them are done."""

    epoch: int
    before: int
    after: int
    cuts: tuple[int, ...]


class TopicCopy(msgspec.Struct, frozen=True):
    """A topic.

    Args:
        topic: its name.
        topic_id: Kafka's id of it, another one for a topic that was made again under the name.
        config: what is set for this topic alone.
        growths: how it grew, oldest first.
        partitions: all of them, by number.
    """

    topic: str
    topic_id: str
    config: dict[str, str]
    growths: tuple[TopicGrowth, ...]
    partitions: tuple[PartitionCopy, ...]

    @property
    def records(self) -> int:
        """How many are copied."""
        return sum(segment.end - segment.first for one in self.partitions for segment in one.segments)


class SchemaVersion(msgspec.Struct, frozen=True):
    """A version of a subject in the registry, and the id that records carry for it."""

    subject: str
    version: int
    schema_id: int
    text: str


class TableFile(msgspec.Struct, frozen=True):
    """Some rows of a table that lives outside the log."""

    name: str
    table: str
    rows: int
    size_bytes: int
    file_digest: str


class MediaFile(msgspec.Struct, frozen=True):
    """A part of the listing of photographs, whose files `backup.media` names; bytes are those of the photographs."""

    name: str
    objects: int
    size_bytes: int
    file_digest: str


class GroupOffset(msgspec.Struct, frozen=True):
    """How far a consumer group has committed a partition."""

    group: str
    topic: str
    partition: int
    offset: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup.

    Args:
        format: of the files and of this one.
        began_ms: when the run that wrote it began.
        ends_ms: when the log's ends were asked for; what came later is not in it.
        keys: fingerprints of the settings' keys without which what is kept cannot be read, by the setting's name.
        topics: the log.
        groups: what consumer groups had committed before the ends were asked for.
        schemas: the registry's, in the order of their ids.
        tables: what lives outside the log.
        media: the listing of photographs, by key; nothing where nobody asked for them to be copied.
        unborn: accounts that are in the tables, and whose creation came too late for the log.
    """

    format: int = FORMAT
    began_ms: int
    ends_ms: int
    keys: dict[str, str]
    topics: tuple[TopicCopy, ...]
    groups: tuple[GroupOffset, ...]
    schemas: tuple[SchemaVersion, ...]
    tables: tuple[TableFile, ...]
    media: tuple[MediaFile, ...] = ()
    unborn: tuple[int, ...]

    @property
    def ends(self) -> dict[Place, int]:
        """Where each partition ends."""
        return {(topic.topic, one.partition): one.end for topic in self.topics for one in topic.partitions}

    def segments(self) -> Iterator[Segment]:
        """Every segment of the log."""
        return (segment for topic in self.topics for one in topic.partitions for segment in one.segments)

    def names(self) -> set[str]:
        """Every file of the log and of the tables that belongs to it."""
        return {one.name for one in self.segments()} | {one.name for one in self.tables}


async def read_manifest(shelf: Shelf) -> Manifest | None:
    """The manifest; None where no backup was ever finished.

    Raises:
        Corruption: it is none, or one of another format.
        StoreUnavailable: the place did not answer.
    """
    data = await shelf.get(MANIFEST)
    if data is None:
        return None
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise Corruption(f"{shelf.label}/{MANIFEST} is no manifest: {error}") from error
    if found.format != FORMAT:
        raise Corruption(f"{shelf.label} has format {found.format}; this version reads format {FORMAT}")
    return found


async def manifest_of(shelf: Shelf) -> Manifest:
    """The manifest of a backup that there must be.

    Raises:
        NotFound: no backup was ever finished there.
    """
    found = await read_manifest(shelf)
    if found is None:
        raise NotFound("no-backup", f"{shelf.label} holds no finished backup: there is no {MANIFEST}")
    return found


async def write_manifest(shelf: Shelf, manifest: Manifest) -> None:
    """Replace the manifest. Raises StoreUnavailable; it is the one before or this one then."""
    await shelf.put(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
