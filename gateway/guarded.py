"""Timelines and caches behind a circuit: what a page may well do without is not waited for while it is away."""

from collections.abc import Mapping, Sequence

from gateway.circuit import Circuit
from projections.stores.port import (
    CacheWrite,
    Delivery,
    Missing,
    RecentChange,
    RecentPage,
    RecentPosts,
    Source,
    StoredPosition,
    TimelineEntry,
    TimelinePage,
    TimelineStore,
    VersionedCache,
)
from projections.stores.seen_port import SeenFilters, SeenStory


class GuardedTimelines:
    """A `TimelineStore` that raises StoreUnavailable at once while its engine is away.

    Args:
        inner: the timelines.
        circuit: of their engine; what else the engine holds shares it.
    """

    def __init__(self, inner: TimelineStore, circuit: Circuit) -> None:
        self._inner = inner
        self._circuit = circuit

    async def position(self, source: Source) -> StoredPosition | None:
        return await self._circuit.call(lambda: self._inner.position(source))

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        return await self._circuit.call(lambda: self._inner.positions(projection))

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        return await self._circuit.call(lambda: self._inner.advance(source, position, expected=expected))

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        return await self._circuit.call(lambda: self._inner.deliver(deliveries))

    async def page(self, account_id: int, *, before: TimelineEntry | None, limit: int) -> TimelinePage:
        return await self._circuit.call(lambda: self._inner.page(account_id, before=before, limit=limit))

    async def open(self, account_id: int) -> str:
        return await self._circuit.call(lambda: self._inner.open(account_id))

    async def merge(
        self, account_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int | None, opened: str | None = None
    ) -> None:
        await self._circuit.call(lambda: self._inner.merge(account_id, entries, low_mark_ms=low_mark_ms, opened=opened))

    async def drop(self, account_id: int) -> None:
        await self._circuit.call(lambda: self._inner.drop(account_id))


class GuardedCache:
    """A `VersionedCache` that raises StoreUnavailable at once while its engine is away.

    Args:
        inner: the cache.
        circuit: of its engine.
    """

    def __init__(self, inner: VersionedCache, circuit: Circuit) -> None:
        self._inner = inner
        self._circuit = circuit

    async def merge(self, writes: Sequence[CacheWrite]) -> None:
        await self._circuit.call(lambda: self._inner.merge(writes))

    async def read(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[bytes | Missing | None]]:
        return await self._circuit.call(lambda: self._inner.read(wanted))

    async def read_all(self, key: str) -> Mapping[str, bytes | None]:
        return await self._circuit.call(lambda: self._inner.read_all(key))

    async def drop(self, keys: Sequence[str]) -> None:
        await self._circuit.call(lambda: self._inner.drop(keys))


class GuardedRecent:
    """A `RecentPosts` that raises StoreUnavailable at once while its engine is away.

    Args:
        inner: the recent posts.
        circuit: of their engine.
    """

    def __init__(self, inner: RecentPosts, circuit: Circuit) -> None:
        self._inner = inner
        self._circuit = circuit

    async def read(
        self, author_ids: Sequence[int], *, before: TimelineEntry | None, limit: int
    ) -> list[RecentPage | None]:
        return await self._circuit.call(lambda: self._inner.read(author_ids, before=before, limit=limit))

    async def record(self, changes: Sequence[RecentChange]) -> list[int]:
        return await self._circuit.call(lambda: self._inner.record(changes))

    async def open(self, author_ids: Sequence[int]) -> list[str]:
        return await self._circuit.call(lambda: self._inner.open(author_ids))

    async def fill(self, author_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int, opened: str) -> None:
        await self._circuit.call(lambda: self._inner.fill(author_id, entries, low_mark_ms=low_mark_ms, opened=opened))

    async def drop(self, author_id: int) -> None:
        await self._circuit.call(lambda: self._inner.drop(author_id))


class GuardedSeen:
    """A `SeenFilters` that raises StoreUnavailable at once while its engine is away.

    Args:
        inner: the filters.
        circuit: of their engine.
    """

    def __init__(self, inner: SeenFilters, circuit: Circuit) -> None:
        self._inner = inner
        self._circuit = circuit

    async def read(self, viewer_id: int, days: Sequence[int]) -> list[bytes | None]:
        return await self._circuit.call(lambda: self._inner.read(viewer_id, days))

    async def record(self, seen: Sequence[SeenStory]) -> None:
        await self._circuit.call(lambda: self._inner.record(seen))

    async def open(self, viewer_id: int, day: int) -> str:
        return await self._circuit.call(lambda: self._inner.open(viewer_id, day))

    async def fill(self, viewer_id: int, day: int, story_ids: Sequence[int], *, opened: str) -> None:
        await self._circuit.call(lambda: self._inner.fill(viewer_id, day, story_ids, opened=opened))

    async def drop(self, viewer_id: int, days: Sequence[int]) -> None:
        await self._circuit.call(lambda: self._inner.drop(viewer_id, days))
