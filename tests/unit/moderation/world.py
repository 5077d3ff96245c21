"""The block-list and classifiers in memory: a log of blocks, a bucket, media to judge."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from moderation.block_list import BlockList
from moderation.classifier import Judgement, Subject
from photolog.engines.object_store import ObjectAbsent
from photolog.errors import LogUnavailable, StoreUnavailable
from photolog.log.record import StoredRecord
from photolog.media.thumbprints import blocked_thumbprint_key, thumbprint_beside
from schemas import events as e
from schemas.topics import BLOCKS
from tests.unit.streams.river import SERDE, MemoryLog, encoded
from transcode.fingerprints.phash import signed
from transcode.fingerprints.prints import Prints
from transcode.plan import processed_key

VARIANT = e.MediaVariant(
    name="w320.jpeg", content_type="image/jpeg", width=320, height=240, size_bytes=9, object_key="processed/7/w320.jpeg"
)
MEDIA = e.MediaTranscodingCompleted(
    media_id=7, owner_id=11, width=640, height=480, variants=[VARIANT], digest="ab" * 32, moderation="pending"
)


class Bucket:
    """Objects in a dictionary; it can be away."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False

    async def get(self, key: str) -> bytes:
        if self.away:
            raise StoreUnavailable("the bucket is away")
        if key not in self.objects:
            raise ObjectAbsent(key)
        return self.objects[key]


class BlockRecords:
    """`moderation.block_log.BlockLog` over a list; it can be away."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.away = False
        self._read: dict[tuple[str, int], int] = {}

    def append(self, *events: e.Event) -> None:
        for event in events:
            self.log.append(encoded(event))

    def append_record(self, record: StoredRecord) -> None:
        self.log.partitions.setdefault((BLOCKS.name, record.partition), []).append(record)

    async def news(self) -> Sequence[StoredRecord]:
        if self.away:
            raise LogUnavailable("the log is away")
        found: list[StoredRecord] = []
        for place, records in self.log.partitions.items():
            found += records[self._read.get(place, 0) :]
            self._read[place] = len(records)
        return found


class ListWorld:
    """A block-list, its log and its bucket."""

    def __init__(self) -> None:
        self.records = BlockRecords()
        self.bucket = Bucket()
        self.list = BlockList(self.records, self.bucket, SERDE)

    def block(self, digest: str, prints: Prints | None = None, **fields: Any) -> e.ContentBlocked:
        """Block a content; with its prints, as a photograph whose thumbprint is kept."""
        event = e.ContentBlocked(digest=digest, rule="hate", operator="op")
        if prints is not None:
            self.bucket.objects[blocked_thumbprint_key(digest)] = prints.thumbprint
            event = msgspec.structs.replace(event, phash=signed(prints.phash))
        event = msgspec.structs.replace(event, **fields)
        self.records.append(event)
        return event

    async def judged(self, prints: Prints | None = None, **fields: Any) -> Judgement:
        """What the list makes of media of its own digest, with these prints."""
        media = msgspec.structs.replace(MEDIA, digest="cd" * 32)
        if prints is not None:
            self.bucket.objects[thumbprint_beside(processed_key(7, VARIANT.name))] = prints.thumbprint
            media = msgspec.structs.replace(media, phash=signed(prints.phash))
        return await self.list.judge(subject(msgspec.structs.replace(media, **fields)))


class Spoken:
    """A classifier that says what it is told to, or raises it."""

    def __init__(self, name: str, *says: Judgement | Exception | Callable[[], Awaitable[Judgement]]) -> None:
        self.name = name
        self._says = list(says)
        self.asked = 0

    async def judge(self, subject: Subject) -> Judgement:
        said = self._says[min(self.asked, len(self._says) - 1)]
        self.asked += 1
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Judgement) else await said()


def subject(media: e.MediaTranscodingCompleted = MEDIA) -> Subject:
    """Media to judge, whose files all hold the same bytes."""

    async def fetch(file: e.MediaVariant) -> bytes:
        return b"bytes of " + file.name.encode()

    return Subject(media, fetch)
