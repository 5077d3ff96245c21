"""What a store of viewers' filters must do. Adapters: memory_seen, redis_seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SeenStory:
    """A story that somebody saw.

    Args:
        viewer_id: who.
        day: the day on which the story was published (`seen_filter.day_of`).
        story_id: which.
    """

    viewer_id: int
    day: int
    story_id: int


class SeenFilters(Protocol):
    """A Bloom filter for each viewer and day: a cache of `seen_stories`.

    Only reading makes one. What is seen is written to the rows first and then to the filter, and who makes a filter
    opens it before the rows are read: whatever a fill does not find is taken by the filter.
    """

    async def read(self, viewer_id: int, days: Sequence[int]) -> list[bytes | None]:
        """The filter of each day (see `projections.seen_filter`); None where it must be filled. One round trip."""

    async def record(self, seen: Sequence[SeenStory]) -> None:
        """Take what was seen into the filters that there are. Taking it again changes nothing. A filter that is full
        is given up, unless it is of the largest size."""

    async def open(self, viewer_id: int, day: int) -> str:
        """Begin a filter, so that what is seen during a fill is kept.

        Returns:
            The life of what is kept, for `fill`: another one has another. Empty where it is filled.
        """

    async def fill(self, viewer_id: int, day: int, story_ids: Sequence[int], *, opened: str) -> None:
        """Make the filter of what the caller read from the rows after `open`. Nothing changes where it was filled
        already, or was lost and opened by another in between."""

    async def drop(self, viewer_id: int, days: Sequence[int]) -> None:
        """Forget filters."""
