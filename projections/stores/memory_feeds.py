"""Home timelines in dictionaries: the fake that tests use, held to the same contract as Redis."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import msgspec

from projections.stores.memory_positions import MemoryPositions
from projections.stores.port import UNFILLED_MS, Delivery, TimelineEntry, TimelinePage

_TRIM_SLACK = 0.1


@dataclass(slots=True)
class _Timeline:
    life: str
    expires_ms: int
    filled: bool = False
    low_mark_ms: int = 0
    entries: set[TimelineEntry] = field(default_factory=set)
    pulls: set[int] = field(default_factory=set)

    def add(self, entry: TimelineEntry) -> bool:
        if entry.pull:
            self.pulls.add(entry.author_id)
            entry = msgspec.structs.replace(entry, pull=False)
        if entry.published_ms <= self.low_mark_ms or entry in self.entries:
            return False
        self.entries.add(entry)
        return True

    def raise_mark(self, low_mark_ms: int) -> None:
        self.low_mark_ms = max(low_mark_ms, self.low_mark_ms)
        self.entries = {entry for entry in self.entries if entry.published_ms > self.low_mark_ms}

    def trim(self, entries_max: int, bound: int) -> None:
        if len(self.entries) > bound:
            self.raise_mark(sorted(self.entries, reverse=True)[entries_max].published_ms)


class MemoryTimelines(MemoryPositions):
    """A `TimelineStore` in this process.

    Args:
        entries_max: entries that a timeline keeps when it is trimmed.
        life_ms: how long a timeline lives that nobody reads.
        clock_ms: any clock that does not go back.
    """

    def __init__(
        self,
        entries_max: int = 300,
        life_ms: int = 7 * 86_400_000,
        clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._entries_max = entries_max
        self._entries_bound = int(entries_max * (1 + _TRIM_SLACK))
        self._life_ms = life_ms
        self._clock_ms = clock_ms
        self._lives = count(1)
        self._timelines: dict[int, _Timeline] = {}
        super().__init__()

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """See `TimelineStore.deliver`."""
        added = 0
        for delivery in deliveries:
            for follower_id in delivery.follower_ids:
                timeline = self._alive(follower_id)
                if timeline is not None and timeline.add(delivery.entry):
                    added += 1
                    timeline.trim(self._entries_max, self._entries_bound)
        return added

    async def page(self, account_id: int, *, before: TimelineEntry | None, limit: int) -> TimelinePage:
        """See `TimelineStore.page`."""
        timeline = self._alive(account_id)
        if timeline is None:
            return TimelinePage(False, (), UNFILLED_MS)
        timeline.expires_ms = self._clock_ms() + self._life_ms
        behind = sorted((entry for entry in timeline.entries if before is None or entry < before), reverse=True)
        return TimelinePage(
            True,
            tuple(behind[:limit]),
            timeline.low_mark_ms if timeline.filled else UNFILLED_MS,
            tuple(sorted(timeline.pulls, reverse=True)),
        )

    async def open(self, account_id: int) -> str:
        """See `TimelineStore.open`."""
        timeline = self._alive(account_id) or _Timeline(str(next(self._lives)), 0)
        timeline.expires_ms = self._clock_ms() + self._life_ms
        self._timelines[account_id] = timeline
        return timeline.life

    async def merge(
        self, account_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int | None, opened: str | None = None
    ) -> None:
        """See `TimelineStore.merge`."""
        timeline = self._alive(account_id)
        if timeline is None:
            return
        if low_mark_ms is not None and opened == timeline.life and not timeline.filled:
            timeline.raise_mark(low_mark_ms)
            timeline.filled = True
        for entry in entries:
            timeline.add(entry)
        timeline.trim(self._entries_max, self._entries_max)

    async def drop(self, account_id: int) -> None:
        """See `TimelineStore.drop`."""
        self._timelines.pop(account_id, None)

    def flush(self) -> None:
        """Lose everything, as an engine may."""
        self._timelines.clear()
        self._positions.clear()

    def _alive(self, account_id: int) -> _Timeline | None:
        timeline = self._timelines.get(account_id)
        return timeline if timeline is not None and timeline.expires_ms > self._clock_ms() else None
