"""Recent posts in dictionaries: the fake that tests use, held to the same contract as Redis."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from projections.stores.port import RecentChange, RecentPage, TimelineEntry

_TRIM_SLACK = 0.1


@dataclass(slots=True)
class _Kept:
    life: str
    expires_ms: int
    filled: bool = False
    low_mark_ms: int = 0
    version: int = -1
    entries: set[TimelineEntry] = field(default_factory=set)
    removed: set[TimelineEntry] = field(default_factory=set)

    def take(self, change: RecentChange) -> None:
        if not change.there:
            self.entries.discard(change.entry)
            self.removed.add(change.entry)
        elif change.entry.published_ms > self.low_mark_ms:
            self.entries.add(change.entry)

    def trim(self, entries_max: int, bound: int) -> None:
        if len(self.entries) > bound:
            self.raise_mark(sorted(self.entries, reverse=True)[entries_max].published_ms)

    def raise_mark(self, low_mark_ms: int) -> None:
        self.low_mark_ms = max(low_mark_ms, self.low_mark_ms)
        self.entries = {entry for entry in self.entries if entry.published_ms > self.low_mark_ms}


class MemoryRecent:
    """A `RecentPosts` in this process.

    Args:
        entries_max: posts that are kept of an author when they are trimmed.
        life_ms: how long they are kept after they were opened.
        clock_ms: any clock that does not go back.
    """

    def __init__(
        self,
        entries_max: int = 100,
        life_ms: int = 86_400_000,
        clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._entries_max = entries_max
        self._entries_bound = int(entries_max * (1 + _TRIM_SLACK))
        self._life_ms = life_ms
        self._clock_ms = clock_ms
        self._lives = count(1)
        self._authors: dict[int, _Kept] = {}

    async def read(
        self, author_ids: Sequence[int], *, before: TimelineEntry | None, limit: int
    ) -> list[RecentPage | None]:
        """See `RecentPosts.read`."""
        pages: list[RecentPage | None] = []
        for author_id in author_ids:
            kept = self._alive(author_id)
            if kept is None or not kept.filled:
                pages.append(None)
                continue
            behind = sorted((entry for entry in kept.entries if before is None or entry < before), reverse=True)
            pages.append(RecentPage(tuple(behind[:limit]), kept.low_mark_ms))
        return pages

    async def record(self, changes: Sequence[RecentChange]) -> list[int]:
        """See `RecentPosts.record`."""
        by_author: dict[int, list[RecentChange]] = {}
        for change in changes:
            by_author.setdefault(change.entry.author_id, []).append(change)
        unknown = []
        for author_id, found in by_author.items():
            kept = self._alive(author_id)
            if kept is None:
                unknown.append(author_id)
                continue
            newer = [change for change in found if change.version > kept.version]
            for change in newer:
                kept.take(change)
            kept.version = max([kept.version, *(change.version for change in newer)])
            kept.trim(self._entries_max, self._entries_bound)
        return unknown

    async def open(self, author_ids: Sequence[int]) -> list[str]:
        """See `RecentPosts.open`."""
        lives = []
        for author_id in author_ids:
            kept = self._alive(author_id) or _Kept(str(next(self._lives)), self._clock_ms() + self._life_ms)
            self._authors[author_id] = kept
            lives.append(kept.life)
        return lives

    async def fill(self, author_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int, opened: str) -> None:
        """See `RecentPosts.fill`."""
        kept = self._alive(author_id)
        if kept is None or kept.filled or kept.life != opened:
            return
        kept.entries |= set(entries) - kept.removed
        kept.removed.clear()
        kept.filled = True
        kept.raise_mark(low_mark_ms)
        kept.trim(self._entries_max, self._entries_max)

    async def drop(self, author_id: int) -> None:
        """See `RecentPosts.drop`."""
        self._authors.pop(author_id, None)

    def flush(self) -> None:
        """Lose everything, as an engine may."""
        self._authors.clear()

    def _alive(self, author_id: int) -> _Kept | None:
        kept = self._authors.get(author_id)
        return kept if kept is not None and kept.expires_ms > self._clock_ms() else None
