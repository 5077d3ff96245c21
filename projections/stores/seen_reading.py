"""Which stories a viewer saw, read through: from the filters in one round trip, from the rows where there is none.

Open, then read, then fill, as a timeline is: what is seen meanwhile is kept.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from photolog.errors import StoreUnavailable
from projections.seen_filter import DAY_MS, STORIES_READ_MAX, day_of, seen_in
from projections.seen_stories import SEEN_STORIES
from projections.stores.port import RowStore
from projections.stores.seen_port import SeenFilters

logger = structlog.get_logger(__name__)


async def seen_among(rows: RowStore, filters: SeenFilters, viewer_id: int, published_ms: Mapping[int, int]) -> set[int]:
    """The stories among these that a viewer saw.

    Args:
        rows: what was seen, exactly.
        filters: the cache of it; what it lacks is filled. While it is away the rows answer.
        viewer_id: who.
        published_ms: when each story was published, Unix ms, by its id.

    Returns:
        Every one that was seen, and of the others about one in a hundred.

    Raises:
        StoreUnavailable: the rows did not answer.
    """
    by_day: dict[int, list[int]] = {}
    for story_id, at_ms in published_ms.items():
        by_day.setdefault(day_of(at_ms), []).append(story_id)
    held = await _read(filters, viewer_id, list(by_day))
    found = await asyncio.gather(
        *(
            _seen(rows, filters, viewer_id, day, story_ids, one)
            for (day, story_ids), one in zip(by_day.items(), held, strict=True)
        )
    )
    return {story_id for seen in found for story_id in seen}


async def _read(filters: SeenFilters, viewer_id: int, days: Sequence[int]) -> list[bytes | None]:
    try:
        return await filters.read(viewer_id, days)
    except StoreUnavailable as error:
        logger.debug("seen-filters-away", cause=str(error))
        return [None] * len(days)


async def _seen(
    rows: RowStore, filters: SeenFilters, viewer_id: int, day: int, story_ids: Sequence[int], held: bytes | None
) -> Iterable[int]:
    if held is None:
        return (await fill_seen(rows, filters, viewer_id, day)).intersection(story_ids)
    told = seen_in(held, viewer_id, story_ids)
    return [story_id for story_id, is_seen in zip(story_ids, told, strict=True) if is_seen]


async def fill_seen(rows: RowStore, filters: SeenFilters, viewer_id: int, day: int) -> set[int]:
    """Make a viewer's filter of a day; answers the stories of that day that they saw.

    Raises:
        StoreUnavailable: the rows did not answer.
    """
    opened = await _open(filters, viewer_id, day)
    found = await rows.scan(
        SEEN_STORIES,
        (viewer_id,),
        after=((day + 1) * DAY_MS,),
        until=(day * DAY_MS,),
        limit=STORIES_READ_MAX,
        ended=True,
    )
    story_ids = {row.story_id for row in found}
    if opened:
        try:
            await filters.fill(viewer_id, day, sorted(story_ids), opened=opened)
        except StoreUnavailable as error:
            logger.debug("seen-filters-away", cause=str(error))
    return story_ids


async def _open(filters: SeenFilters, viewer_id: int, day: int) -> str:
    try:
        return await filters.open(viewer_id, day)
    except StoreUnavailable as error:
        logger.debug("seen-filters-away", cause=str(error))
        return ""
