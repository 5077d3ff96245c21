"""What a projection's store must do. Adapters: memory_rows, cassandra_rows (rows); memory_feeds, redis_feeds
(timelines); memory_cache, redis_cache (versioned caches); memory_recent, redis_recent (recent posts).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from projections.stores.counts import NOTHING_COUNTED, Counts
from projections.stores.parked import ParkedKeys
from projections.tables import KeyTuple, R, Row, RowKey, Table
from projections.writes import Kept, Positioned


@dataclass(frozen=True, slots=True)
class Source:
    """One partition of one topic as one projection folds it."""

    projection: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """How far a projection has come in one partition.

    Args:
        next_offset: the first offset that is not applied yet.
        outputs: for a projection that appends to derived topics, the next offset of each (topic, partition) at the
            time when everything up to `next_offset` had been acknowledged there.
        counts: what became of the records below `next_offset`.
        parked: keys of which a record below `next_offset` was dead, so that what came behind it waits.
    """

    next_offset: int
    outputs: Mapping[tuple[str, int], int] = field(default_factory=dict)
    counts: Counts = NOTHING_COUNTED
    parked: ParkedKeys = field(default_factory=dict)


class PositionStore(Protocol):
    """Keeps positions, in the same store as what they speak of."""

    async def position(self, source: Source) -> StoredPosition | None:
        """The position, or None where the store has none (new, flushed or lost)."""

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """All positions of a projection."""

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """Move a position forward; one that is not ahead of the stored one is left alone.

        Args:
            source: whose position.
            position: where to.
            expected: the next offset that the caller read before its work.

        Returns:
            False, with nothing changed, where the store holds less than `expected`: it lost what the work built on.
        """


RankedRow = tuple[Any, ...]
"""A row of a whole table: the rank of its partition, and its fields in the order of its class. Nothing more is made of
it, as tables are long; see `projections.packing`."""


class RowStore(PositionStore, Protocol):
    """Rows of tables, each with the log position it came from. An older write never undoes a newer one."""

    async def load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        """What is held at each key; absent rows are `ABSENT`."""

    async def apply(self, stages: Sequence[Sequence[Positioned]]) -> None:
        """Write each stage completely before the next begins; writes within a stage come in any order.

        Raises:
            StoreUnavailable: not everything was written; doing it again is safe.
        """

    async def get(self, key: RowKey[R]) -> R | None:
        """One row."""

    async def get_many(self, keys: Sequence[RowKey[R]]) -> list[R | None]:
        """Rows in the order of their keys, read concurrently (bounded)."""

    async def scan(
        self,
        table: Table[R],
        partition: KeyTuple,
        *,
        after: KeyTuple | None = None,
        until: KeyTuple | None = None,
        limit: int,
        ended: bool = False,
    ) -> list[R]:
        """Rows of one partition in clustering order, at most `limit`. Not for aggregate tables.

        Args:
            table: whose rows.
            partition: which partition.
            after: only rows strictly behind this clustering key, or prefix of one.
            until: only rows that are not behind this one; for tables that are ordered in one direction.
            limit: how many at most.
            ended: with rows that have ended by this process's clock and that the engine still has. For filling caches,
                whose readers look at the end themselves: a clock that was wrong then leaves nothing wrong behind.
        """

    async def scan_partitions(self, table: Table[R], partitions: Sequence[KeyTuple], *, limit: int) -> list[list[R]]:
        """The first rows of each of many partitions, at most `limit` of each, read together where the engine can."""

    async def scan_kept(self, table: Table[R], partition: KeyTuple, *, limit: int) -> list[Kept]:
        """As `scan` from the start, with rows that have ended, each with the offset that it came from: what fills a
        versioned cache."""

    def all_rows(self, table: Table[R]) -> AsyncIterator[R]:
        """Every row of a table, in no order, a bounded number in memory. For exports and checks, not for requests."""

    def ranked_pages(self, table: Table[R]) -> AsyncIterator[Sequence[RankedRow]]:
        """Every row of a table, a page at a time, in the order of the ranks of their partitions, and within a partition
        in clustering order. Tables of the same shape, whatever their names, have the same ranks, so that two of them
        can be compared in one pass. A row that was removed is not among them."""


CLOCK_AHEAD_MS_MAX = 300_000
"""How far ahead the clock may be of a process that writes rows that end, without one being lost by it. So much longer
than to its end a row is stored; caches of what has ended are made anew meanwhile, so it is not much."""
UNFILLED_MS = 1 << 62
"""The low mark of a timeline that is complete for nothing yet."""


class TimelineEntry(msgspec.Struct, frozen=True, order=True, gc=False):
    """A post's place in a feed: newest first by (published_ms, post_id).

    Args:
        published_ms: when it was published, Unix ms.
        post_id: the post.
        author_id: its author.
        pull: the post was not pushed. A timeline that takes such an entry remembers to look for the newest posts of
            its author whenever it is read.
    """

    published_ms: int
    post_id: int
    author_id: int
    pull: bool = False


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A stretch of a timeline.

    Args:
        exists: whether the timeline is there at all; False means it must be filled.
        entries: newest first.
        low_mark_ms: complete for pushed entries published after this, Unix ms; older ones may be missing.
            `UNFILLED_MS` where it must be filled.
        pull_author_ids: authors whose posts after the last pulled one are to be merged on reading.
    """

    exists: bool
    entries: tuple[TimelineEntry, ...]
    low_mark_ms: int
    pull_author_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry for some followers."""

    entry: TimelineEntry
    follower_ids: tuple[int, ...]


class TimelineStore(PositionStore, Protocol):
    """Home timelines: caches, capped, expiring, complete down to their low mark.

    An existing timeline is an active reader. Nothing here creates one but `open`; nothing replaces one.
    """

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Add each entry to the timelines of those followers that exist and reach below it.

        Returns:
            How many timelines took an entry that they did not have; one that lies below a mark, where no page
            shows it, may count. Adding an entry again changes nothing.
        """

    async def page(self, account_id: int, *, before: TimelineEntry | None, limit: int) -> TimelinePage:
        """Entries strictly older than `before`, newest first; renews the expiry."""

    async def open(self, account_id: int) -> str:
        """Have a timeline, made empty and complete for nothing where there was none, so that deliveries during a
        fill are kept.

        Returns:
            The life of this timeline, for `merge`: another one has another.
        """

    async def merge(
        self, account_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int | None, opened: str | None = None
    ) -> None:
        """Add entries above the mark to an existing timeline. Trims to the cap, which raises the mark.

        Args:
            account_id: whose timeline.
            entries: in any order; adding one again changes nothing.
            low_mark_ms: the caller read all sources after `open`, complete down to here: what ends a fill. A
                timeline that is filled, or was lost and opened by another in between, keeps its own mark.
            opened: what `open` returned; needed with `low_mark_ms`.
        """

    async def drop(self, account_id: int) -> None:
        """Forget a timeline; the next read fills it again."""


@dataclass(frozen=True, slots=True)
class RecentChange:
    """What became of one post, for its author's recent ones.

    Args:
        entry: the post's place.
        version: the log offset at which it was so.
        there: whether the post is published; False once it is deleted.
    """

    entry: TimelineEntry
    version: int
    there: bool


@dataclass(frozen=True, slots=True)
class RecentPage:
    """A stretch of an author's posts.

    Args:
        entries: newest first.
        low_mark_ms: complete for posts published after this, Unix ms; older ones are in the rows alone.
    """

    entries: tuple[TimelineEntry, ...]
    low_mark_ms: int


class RecentPosts(Protocol):
    """Every author's newest published posts: a cache of rows, so that many authors' are read in one round trip.

    Complete down to a low mark, as a timeline is. It lives for a fixed time after it was filled. A deleted post may
    come back here after a loss: a place is no proof that the post is there, and whoever shows it looks at the post.
    """

    async def read(
        self, author_ids: Sequence[int], *, before: TimelineEntry | None, limit: int
    ) -> list[RecentPage | None]:
        """For each author the newest posts strictly older than `before`, at most `limit`; None where they must be
        filled. One round trip."""

    async def record(self, changes: Sequence[RecentChange]) -> list[int]:
        """Take what a job wrote to the rows. A change that is not newer than what an author's posts hold is passed
        over, so it may be recorded again.

        Returns:
            Authors of whom nothing is kept: they are to be filled.
        """

    async def open(self, author_ids: Sequence[int]) -> list[str]:
        """Begin to keep authors' posts, complete for nothing where nothing was kept, so that changes during a fill
        are kept.

        Returns:
            For each the life of what is kept, for `fill`: another one has another.
        """

    async def fill(self, author_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int, opened: str) -> None:
        """Add what the caller read from the rows after `open`, complete above `low_mark_ms`. Nothing changes where
        it was filled already, or was lost and opened by another in between."""

    async def drop(self, author_id: int) -> None:
        """Forget an author's posts."""


@dataclass(frozen=True, slots=True)
class CacheWrite:
    """One field of a versioned cache.

    Args:
        key: the cache entry (a hash).
        field: the field in it.
        version: the log offset that the value was read at; a field keeps its newest version.
        value: bytes; None stands for "known to be absent".
        ends_ms: when the entry ends, Unix ms, the same for all its fields; None where it ends some time after the last
            write to it.
    """

    key: str
    field: str
    version: int
    value: bytes | None
    ends_ms: int | None = None


class Missing:
    """The type of `MISSING`: the cache knows nothing here (None means known to be absent)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class VersionedCache(Protocol):
    """Caches of rows, filled lazily and kept up to date by the jobs: a field only ever moves to a newer version."""

    async def merge(self, writes: Sequence[CacheWrite]) -> None:
        """Set each field whose version is newer than what is there; renew the entry's expiry, if it has no end.

        A field `name/part` holds a part of a sum, as a decimal. Once a write to `name/*` said that all parts are
        there, the field `name` is read as their sum, and follows every later part.
        """

    async def read(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[bytes | Missing | None]]:
        """For each (key, fields): values in order; `MISSING` where the cache knows nothing. One round trip."""

    async def read_all(self, key: str) -> Mapping[str, bytes | None]:
        """Every field of an entry that holds no sums; none where the cache knows nothing."""

    async def drop(self, keys: Sequence[str]) -> None:
        """Forget entries."""
