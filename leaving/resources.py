"""What leaving works with, wired once by leaving/bootstrap.py; tests wire memory adapters instead."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.vault.port import Vault
from leaving.mentions import LogReader
from photolog.engines.object_store import ObjectHead, UploadPart
from photolog.ids import now_ms
from photolog.log.record import EncodedRecord
from photolog.media.caches import Caches
from photolog.positions import Position
from projections.stores.pinning import PinnedPointers, never_rebuilt
from projections.stores.port import RecentPosts, RowStore, TimelineStore, VersionedCache
from projections.stores.seen_port import SeenFilters
from schemas.serde import Serde
from transcode.contents.holding import Contents


class Log(Protocol):
    """Where deletion events are appended: `photolog.log.producer.LogProducer`."""

    async def append_all(self, records: Iterable[EncodedRecord]) -> list[Position]:
        """Append in order; the answer comes when all are acknowledged."""


class Keyring(Protocol):
    """Subject keys: `photolog.keyring.SubjectKeyring`."""

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        """Bring these subjects' keys to hand."""

    def key_of(self, subject_id: int) -> bytes | None:
        """The key of a subject that `ensure` named."""

    async def erase(self, subject_id: int) -> None:
        """Destroy a key for good."""


class Objects(Protocol):
    """The bucket: `photolog.engines.object_store.ObjectStore`."""

    def keys(self, prefix: str) -> AsyncIterator[list[str]]:
        """The keys that begin with a prefix, a page at a time."""

    async def unfinished_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Key and id of each unfinished multipart upload under a prefix."""

    async def create_upload(self, key: str, content_type: str) -> str: ...
    async def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> UploadPart: ...
    async def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None: ...
    async def abort_upload(self, key: str, upload_id: str) -> None: ...
    async def head(self, key: str) -> ObjectHead | None: ...
    async def read_range(self, key: str, start: int, length: int) -> bytes: ...

    async def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingResources:
    """The ports of one worker.

    Args:
        rows: every table.
        timelines: home timelines.
        recent: authors' recent posts.
        seen: viewers' filters of seen stories.
        cache: cards, relations, likes.
        log: takes deletion events.
        reader: gives the whole log.
        serde: the codec.
        keyring: subject keys.
        vault: what lives outside the log.
        objects: the bucket of media.
        contents: who holds which files in it.
        shared_caches: before the edge.
        hash_key: keys what is kept of a user name.
        master_key: derives the key that signs receipts.
        settle_seconds: after so long no command that was under way when an account was marked appends any more.
        export_seconds: how long an export is kept.
        clock_ms: Unix milliseconds.
        pinned: the generations of read models; `rows` and `cache` are those that the piece of work pinned.
        every_row: the rows of all generations, under the names of their tables.
    """

    rows: RowStore
    timelines: TimelineStore
    recent: RecentPosts
    seen: SeenFilters
    cache: VersionedCache
    log: Log
    reader: LogReader
    serde: Serde
    keyring: Keyring
    vault: Vault
    objects: Objects
    contents: Contents
    shared_caches: Caches
    hash_key: bytes
    master_key: bytes
    settle_seconds: float
    export_seconds: int = 7 * 86_400
    clock_ms: Callable[[], int] = now_ms
    pinned: PinnedPointers = field(default_factory=never_rebuilt)
    every_row: RowStore | None = None
