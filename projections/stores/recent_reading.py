"""Authors' newest posts, read through: from the cache in one round trip, from the rows where it does not reach.

Open, then read, then fill, as a timeline is: what is published or deleted meanwhile is kept.
"""

import asyncio
from collections.abc import Sequence

from projections.feed import BEGINNING, Place, Stretch, entry_of, place_of, stretch_of_rows
from projections.posts import PUBLISHED_POSTS
from projections.stores.port import RecentPage, RecentPosts, RowStore, TimelineEntry

RECENT_ENTRIES = 100  # of each author, several pages of a feed
_READS_AT_ONCE = 64


async def recent_stretches(
    rows: RowStore, recent: RecentPosts, author_ids: Sequence[int], before: Place | None, limit: int
) -> list[Stretch]:
    """The next posts of each author.

    Args:
        rows: published posts.
        recent: the cache of them; what it lacks is filled.
        author_ids: whose posts.
        before: only what is strictly older; None for the newest.
        limit: of each author.

    Returns:
        For each author, in order, `limit` posts or all that there are. Deleted ones may be among them.

    Raises:
        StoreUnavailable: the cache or the rows did not answer.
    """
    pages = await _pages(recent, author_ids, before, limit)
    unknown = [author_id for author_id, page in pages.items() if page is None]
    if unknown:
        await fill_recent(rows, recent, unknown)
        pages |= await _pages(recent, unknown, before, limit)
    told = {author_id: _stretch_of(page, limit) for author_id, page in pages.items()}
    deeper = [author_id for author_id, stretch in told.items() if stretch is None]
    gate = asyncio.Semaphore(_READS_AT_ONCE)

    async def from_rows(author_id: int) -> Stretch:
        async with gate:
            found = await rows.scan(PUBLISHED_POSTS, (author_id,), after=before, limit=limit)
        return stretch_of_rows(found, limit)

    told |= zip(deeper, await asyncio.gather(*map(from_rows, deeper)) if deeper else (), strict=True)
    return [stretch for author_id in author_ids if (stretch := told[author_id]) is not None]


def _stretch_of(page: RecentPage | None, limit: int) -> Stretch | None:
    """What the cache tells of an author; None where only the rows know."""
    if page is None:
        return None
    if len(page.entries) >= limit:
        return Stretch(page.entries, place_of(page.entries[-1]))
    return Stretch(page.entries, BEGINNING) if page.low_mark_ms <= 0 else None


async def fill_recent(rows: RowStore, recent: RecentPosts, author_ids: Sequence[int]) -> None:
    """Have the cache keep these authors' newest posts. Raises StoreUnavailable."""
    lives = await recent.open(author_ids)
    gate = asyncio.Semaphore(_READS_AT_ONCE)

    async def fill(author_id: int, opened: str) -> None:
        async with gate:
            found = await rows.scan(PUBLISHED_POSTS, (author_id,), limit=RECENT_ENTRIES + 1)
        entries = [entry_of(row) for row in found]
        # Above the mark all is there; posts of the mark's own millisecond may not be, and count as below it.
        low_mark_ms = entries[-1].published_ms if len(entries) > RECENT_ENTRIES else 0
        await recent.fill(author_id, entries, low_mark_ms=low_mark_ms, opened=opened)

    await asyncio.gather(*map(fill, author_ids, lives))


async def _pages(
    recent: RecentPosts, author_ids: Sequence[int], before: Place | None, limit: int
) -> dict[int, RecentPage | None]:
    mark = None if before is None else TimelineEntry(*before, 0)
    return dict(zip(author_ids, await recent.read(author_ids, before=mark, limit=limit), strict=True))
