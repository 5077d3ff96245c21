"""Viewers' filters in dictionaries: the fake that tests use, held to the same contract as Redis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from photolog.ids import now_ms
from projections.seen_filter import day_ends_ms, made_filter
from projections.stores.seen_port import SeenStory


@dataclass(slots=True)
class _Kept:
    life: str
    filled: bool = False
    story_ids: set[int] = field(default_factory=set)


class MemorySeen:
    """A `SeenFilters` in this process.

    Args:
        clock_ms: Unix milliseconds.
    """

    def __init__(self, clock_ms: Callable[[], int] = now_ms) -> None:
        self._clock_ms = clock_ms
        self._lives = count(1)
        self._kept: dict[tuple[int, int], _Kept] = {}

    async def read(self, viewer_id: int, days: Sequence[int]) -> list[bytes | None]:
        """See `SeenFilters.read`."""
        held = [self._alive(viewer_id, day) for day in days]
        return [made_filter(viewer_id, sorted(one.story_ids)) if one and one.filled else None for one in held]

    async def record(self, seen: Sequence[SeenStory]) -> None:
        """See `SeenFilters.record`."""
        for one in seen:
            kept = self._alive(one.viewer_id, one.day)
            if kept is not None:
                kept.story_ids.add(one.story_id)

    async def open(self, viewer_id: int, day: int) -> str:
        """See `SeenFilters.open`."""
        kept = self._alive(viewer_id, day)
        if kept is None:
            kept = self._kept[viewer_id, day] = _Kept(str(next(self._lives)))
        return "" if kept.filled else kept.life

    async def fill(self, viewer_id: int, day: int, story_ids: Sequence[int], *, opened: str) -> None:
        """See `SeenFilters.fill`."""
        kept = self._alive(viewer_id, day)
        if kept is not None and not kept.filled and kept.life == opened:
            kept.story_ids.update(story_ids)
            kept.filled = True

    async def drop(self, viewer_id: int, days: Sequence[int]) -> None:
        """See `SeenFilters.drop`."""
        for day in days:
            self._kept.pop((viewer_id, day), None)

    def flush(self) -> None:
        """Lose everything, as an engine may."""
        self._kept.clear()

    def _alive(self, viewer_id: int, day: int) -> _Kept | None:
        return self._kept.get((viewer_id, day)) if day_ends_ms(day) > self._clock_ms() else None
