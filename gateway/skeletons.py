"""The skeleton of a home feed: which posts, in order, before anything is known of what they show.

A timeline answers in one round trip. Where there is none it is made; where a reader goes below its mark, an author's
posts are not pushed, or Redis is away, the rows answer: exactly, at a price that only those readers pay, and for as
long as a page may take. What is not read by then is read on for the next page, and this one says what it lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import structlog

from gateway.author_posts import newest_of, stretches_of
from gateway.followees import followees
from gateway.readings import Found
from gateway.services import Services
from photolog.errors import StoreUnavailable
from projections.feed import (
    TOP,
    Place,
    Stretch,
    behind,
    continued,
    floor_of,
    known_below,
    low_mark_of,
    merged,
    newest,
    place_of,
    stretch_of_page,
)
from projections.stores.port import UNFILLED_MS, TimelineEntry, TimelinePage
from projections.stores.recent_reading import recent_stretches

_PULLED_FIRST = 3  # of each of many celebrities, most of whom have none or one on a page
Reason = Literal["budget-spent", "cache-away"]
"""Why a page is less than it could be."""
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page asks for.

    Args:
        viewer_id: whose feed.
        before: only what is strictly older; `TOP` for the newest.
        count: how many entries are wanted.
        ahead: how many more to give where they cost no further round trip.
        until: the event loop's time at which to stop waiting for rows.
    """

    viewer_id: int
    before: Place
    count: int
    ahead: int
    until: float

    @property
    def most(self) -> int:
        """How many entries are of use."""
        return self.count + self.ahead


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The next entries of a feed.

    Args:
        stretch: at least as many as are wanted, or all that there are; fewer where time was over.
        beyond: where time was over, entries below the stretch that are known; others may lie between them.
        away: whether the timeline could not be asked.
    """

    stretch: Stretch
    beyond: Sequence[TimelineEntry] | None = None
    away: bool = False


async def feed_skeleton(services: Services, wanted: Wanted) -> Skeleton:
    """The next entries of a feed, from its timeline as far down as that is complete, and from rows below."""
    page = await _page(services, wanted)
    upper = Stretch((), wanted.before)
    if page is not None and page.low_mark_ms >= UNFILLED_MS:
        fill = await services.readings.read(
            ("fill", wanted.viewer_id), wanted.until, partial(_fill, services, wanted.viewer_id)
        )
        if fill.stretch is None:
            return Skeleton(upper, known_below(upper, fill.found, wanted.count))
        upper = fill.stretch
        if fill.joined:
            # The one that was joined may have read before this request was made; the timeline has what came since.
            page = await _page(services, wanted)
    if page is not None and page.low_mark_ms < UNFILLED_MS:
        upper = await _with_pulled(services, page, wanted)
    upper = behind(upper, wanted.before)
    away = page is None
    if len(upper.entries) >= wanted.count or upper.ended:
        return Skeleton(newest(upper, wanted.most), away=away)
    return await _continued(services, wanted, upper, away)


async def _continued(services: Services, wanted: Wanted, upper: Stretch, away: bool) -> Skeleton:
    """A stretch and what lies below it in the rows, of all sources."""
    count = wanted.count - len(upper.entries)
    place = upper.complete_from
    work = partial(_lower, services, wanted.viewer_id, place, count)
    read = await services.readings.read(("rows", wanted.viewer_id, place, count), wanted.until, work, keep=True)
    if read.stretch is None:
        return Skeleton(upper, known_below(upper, read.found, count), away)
    return Skeleton(newest(continued(upper, read.stretch), wanted.most), away=away)


async def _page(services: Services, wanted: Wanted) -> TimelinePage | None:
    """What the timeline holds; None while it cannot be asked."""
    mark = None if wanted.before == TOP else TimelineEntry(*wanted.before, 0)
    try:
        return await services.timelines.page(wanted.viewer_id, before=mark, limit=wanted.most)
    except StoreUnavailable as error:
        logger.debug("timelines-away", cause=str(error))
        return None


async def _with_pulled(services: Services, page: TimelinePage, wanted: Wanted) -> Stretch:
    """What a timeline tells, with the posts that are not pushed into it.

    Few of each author are read first; only of those who fill the page more than that are there more to be seen.
    """
    stretch, authors = stretch_of_page(page, wanted.most), page.pull_author_ids
    if not authors:
        return stretch
    few = min(wanted.most, max(_PULLED_FIRST, 2 * wanted.most // len(authors)))
    pulled = dict(zip(authors, await _pulled(services, authors, wanted, few), strict=True))
    known = {place_of(entry): entry for part in (stretch, *pulled.values()) for entry in part.entries}
    floor = floor_of(known.values(), wanted.most)
    more = [author_id for author_id, part in pulled.items() if not part.ended and part.complete_from > floor]
    if more and few < wanted.most:
        pulled |= zip(more, await _pulled(services, more, wanted, wanted.most), strict=True)
    return merged([stretch, *pulled.values()])


async def _pulled(services: Services, author_ids: Sequence[int], wanted: Wanted, limit: int) -> list[Stretch]:
    """The next posts of each author, from the cache of recent ones in one round trip, or else from rows."""
    before = None if wanted.before == TOP else wanted.before
    try:
        return await recent_stretches(services.rows, services.recent, author_ids, before, limit)
    except StoreUnavailable as error:
        logger.debug("recent-posts-away", cause=str(error))
        return await stretches_of(services.rows, dict.fromkeys(author_ids, wanted.before), limit, [])


async def _fill(services: Services, viewer_id: int, found: Found) -> Stretch:
    """Make the viewer's timeline: open, then read, then merge, so that what is delivered meanwhile is kept."""
    opened = await _opened(services, viewer_id)
    sources = await _sources(services, viewer_id)
    stretch = await newest_of(services.rows, sources, TOP, services.settings.limits.timeline_entries, found)
    if opened is not None:
        # An author of pulled posts is to be remembered even where none of them is among the newest entries.
        entries = [*stretch.entries, *(entry for entry in found if entry.pull)]
        try:
            await services.timelines.merge(viewer_id, entries, low_mark_ms=low_mark_of(stretch), opened=opened)
        except StoreUnavailable as error:
            # It stays complete for nothing, and the next reader fills it.
            logger.debug("timelines-away", cause=str(error))
    return stretch


async def _opened(services: Services, viewer_id: int) -> str | None:
    try:
        return await services.timelines.open(viewer_id)
    except StoreUnavailable as error:
        logger.debug("timelines-away", cause=str(error))
        return None


async def _lower(services: Services, viewer_id: int, after: Place, count: int, found: Found) -> Stretch:
    return await newest_of(services.rows, await _sources(services, viewer_id), after, count, found)


async def _sources(services: Services, viewer_id: int) -> list[int]:
    """Everyone whose posts make up the feed, the viewer included."""
    return [viewer_id, *await followees(services, viewer_id)]
