"""What handlers may use, wired once by gateway/bootstrap.py; tests wire memory adapters instead."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.authentication import Authentication
from gateway.cursors import Cursors
from gateway.edge_addresses import EdgeAddresses
from gateway.limits.memory_buckets import MemoryBuckets
from gateway.limits.port import BucketStore
from gateway.media_watch import MediaWatch
from gateway.passwords import Passwords
from gateway.readings import Readings
from gateway.remembered import Celebrities
from gateway.streams.desk import Desk
from gateway.tokens import AccessTokens
from gateway.vault.port import Vault
from photolog.engines.object_store import ObjectHead, UploadPart
from photolog.ids import SnowflakeSource, now_ms
from photolog.log.ends import Ends
from photolog.log.record import EncodedRecord
from photolog.positions import Position
from photolog.settings import Settings
from projections.stores.pinning import PinnedPointers, never_rebuilt
from projections.stores.port import RecentPosts, RowStore, TimelineStore, VersionedCache
from projections.stores.seen_port import SeenFilters
from schemas.serde import Serde


class EventLog(Protocol):
    """The log as a gateway sees it: photolog.log.producer, or a list in tests."""

    async def append_all(self, records: Iterable[EncodedRecord]) -> list[Position]:
        """Append in order. Raises LogUnavailable within its bound."""


class LogEnds(Protocol):
    """Where the log ends: photolog.log.ends, or a list's length in tests."""

    async def ends(self) -> Ends:
        """The next offset of each partition, a moment ago. Raises LogUnavailable within its bound."""


class Keyring(Protocol):
    """Subject keys: photolog.keyring, or a dictionary in tests."""

    async def create(self, subject_id: int) -> None:
        """Make the key of a new account; one that is there stays."""

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        """Have the keys at hand for `key_of`."""

    def key_of(self, subject_id: int) -> bytes | None:
        """A key that `ensure` loaded; None for an erased account."""


class Objects(Protocol):
    """The bucket of media: photolog.engines.object_store, or a dictionary in tests."""

    async def create_upload(self, key: str, content_type: str) -> str: ...
    def presign_part(self, key: str, upload_id: str, number: int) -> str: ...
    def presign_get(self, key: str, seconds: int) -> str: ...
    async def list_parts(self, key: str, upload_id: str) -> list[UploadPart]: ...
    async def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None: ...
    async def abort_upload(self, key: str, upload_id: str) -> None: ...
    async def head(self, key: str) -> ObjectHead | None: ...
    async def read_range(self, key: str, start: int, length: int) -> bytes: ...
    async def put(self, key: str, data: bytes, content_type: str) -> None: ...
    async def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """The ports of one gateway process.

    Args:
        rows: read models in Cassandra, always right.
        timelines: home timelines, a cache.
        recent: authors' recent posts, a cache of rows.
        seen: viewers' filters of seen stories, a cache of rows.
        cache: cards, relations, counts, sessions: caches of rows.
        objects: the bucket of media.
        log: appends; handlers return a `Command` instead of calling it.
        ends: tells where the log ends.
        serde: encodes events.
        keyring: subject keys.
        ids: makes ids of things.
        vault: what lives outside the log.
        settings: all settings.
        cursors: makes and reads cursors.
        passwords: hashes and verifies passwords.
        tokens: signs and reads access tokens.
        authentication: tells who calls, and learns of ended sessions.
        streams: opens analysts' subscriptions.
        clock_ms: Unix milliseconds.
        readings: reads of many rows that go on where a request stops waiting.
        celebrities: what very many ask of very few, remembered for a minute.
        buckets: limits how often whom may ask; this process's own where no others are wired.
        edge: where clients get media from; None where they are sent to the bucket.
        watch: waits for the answers of transcoding.
        pinned: the generations of read models, of which a request sees one set throughout.
    """

    rows: RowStore
    timelines: TimelineStore
    recent: RecentPosts
    seen: SeenFilters
    cache: VersionedCache
    objects: Objects
    log: EventLog
    ends: LogEnds
    serde: Serde
    keyring: Keyring
    ids: SnowflakeSource
    vault: Vault
    settings: Settings
    cursors: Cursors
    passwords: Passwords
    tokens: AccessTokens
    authentication: Authentication
    streams: Desk
    clock_ms: Callable[[], int] = field(default=now_ms)
    readings: Readings = field(default_factory=Readings)
    celebrities: Celebrities = field(default_factory=Celebrities)
    buckets: BucketStore = field(default_factory=MemoryBuckets)
    edge: EdgeAddresses | None = None
    pinned: PinnedPointers = field(default_factory=never_rebuilt)
    watch: MediaWatch = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "watch", MediaWatch(self.rows, self.pinned.pin_known))
