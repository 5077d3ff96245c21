"""The skeleton of a home feed: which posts, in order, before anything is known of what they show.

A timeline answers in one round trip. Where there is none it is made, and where a reader goes below its mark, or an
author's posts are not pushed, the rows answer: exactly, and at a price that only those readers pay.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from gateway.services import Services
from projections.feed import (
    Place,
    Stretch,
    behind,
    continued,
    floor_of,
    low_mark_of,
    merged,
    newest,
    stretch_of_page,
    stretch_of_rows,
)
from projections.graph import FOLLOWINGS
from projections.posts import PUBLISHED_POSTS
from projections.stores.port import UNFILLED_MS, RowStore, TimelineEntry

FOLLOWINGS_MAX = 7_500
_READS_AT_ONCE = 128
_ROWS_FIRST = 4  # of each of many authors, most of whom post less than the few who fill the page
_GROWTH = 4
T = TypeVar("T")
U = TypeVar("U")


async def feed_skeleton(services: Services, viewer_id: int, before: Place | None, count: int, ahead: int) -> Stretch:
    """The next entries of a feed.

    Args:
        services: the gateway's.
        viewer_id: whose feed.
        before: only what is strictly older; None for the newest.
        count: how many are wanted.
        ahead: how many more to give where they cost no further round trip.

    Returns:
        At least `count` entries, or all that there are.
    """
    mark = None if before is None else TimelineEntry(*before, 0)
    page = await services.timelines.page(viewer_id, before=mark, limit=count + ahead)
    if page.low_mark_ms >= UNFILLED_MS:
        stretch = await _filled(services, viewer_id)
    else:
        stretch = stretch_of_page(page, count + ahead)
        if page.pull_author_ids:
            pulled = await _each_newest(services.rows, page.pull_author_ids, before, count + ahead)
            stretch = merged([stretch, *pulled])
    if before is not None:
        stretch = behind(stretch, before)
    if len(stretch.entries) < count and not stretch.ended:
        sources = await _sources(services, viewer_id)
        lower, _ = await _newest_of(services.rows, sources, stretch.complete_from, count - len(stretch.entries))
        stretch = continued(stretch, lower)
    return newest(stretch, count + ahead)


async def _filled(services: Services, viewer_id: int) -> Stretch:
    """Make the viewer's timeline: open, then read, then merge, so that what is delivered meanwhile is kept."""
    opened = await services.timelines.open(viewer_id)
    sources = await _sources(services, viewer_id)
    stretch, read = await _newest_of(services.rows, sources, None, services.settings.limits.timeline_entries)
    # An author of pulled posts is to be remembered even where none of them is among the newest entries.
    pulled = [entry for entry in read if entry.pull]
    mark_ms = low_mark_of(stretch)
    await services.timelines.merge(viewer_id, [*stretch.entries, *pulled], low_mark_ms=mark_ms, opened=opened)
    return stretch


async def _sources(services: Services, viewer_id: int) -> list[int]:
    """Everyone whose posts make up the feed, the viewer included."""
    followings = await services.rows.scan(FOLLOWINGS, (viewer_id,), limit=FOLLOWINGS_MAX)
    return [viewer_id, *(following.followee_id for following in followings)]


async def _newest_of(
    rows: RowStore, author_ids: Sequence[int], after: Place | None, count: int
) -> tuple[Stretch, list[TimelineEntry]]:
    """The newest posts of many authors together, and all that were read to find them: the newest of each author.

    Few posts of each are read first. An author of whom more may belong to the newest `count` is read on, and there are
    ever fewer of these.
    """
    found: list[TimelineEntry] = []
    limit = min(count, max(_ROWS_FIRST, _GROWTH * count // len(author_ids)))
    marks: dict[int, Place | None] = dict.fromkeys(author_ids, after)
    while marks:
        read = await _stretches(rows, marks, limit)
        found += [entry for stretch in read for entry in stretch.entries]
        floor = floor_of(found, count)
        # What reaches neither its author's beginning nor the floor may hold more that is wanted.
        marks = {
            author_id: stretch.complete_from
            for author_id, stretch in zip(marks, read, strict=True)
            if not stretch.ended and stretch.complete_from > floor
        }
        limit = min(count, limit * _GROWTH)
    return newest(merged([Stretch(sorted(found, reverse=True), floor_of(found, count))]), count), found


async def _each_newest(rows: RowStore, author_ids: Iterable[int], after: Place | None, count: int) -> list[Stretch]:
    return await _stretches(rows, dict.fromkeys(author_ids, after), count)


async def _stretches(rows: RowStore, marks: dict[int, Place | None], limit: int) -> list[Stretch]:
    async def read(mark: tuple[int, Place | None]) -> Stretch:
        author_id, after = mark
        return stretch_of_rows(await rows.scan(PUBLISHED_POSTS, (author_id,), after=after, limit=limit), limit)

    return await _bounded(read, list(marks.items()))


async def _bounded(read: Callable[[T], Awaitable[U]], items: Sequence[T]) -> list[U]:
    """Read all, so many at once."""
    gate = asyncio.Semaphore(_READS_AT_ONCE)

    async def one(item: T) -> U:
        async with gate:
            return await read(item)

    return await asyncio.gather(*(one(item) for item in items))
