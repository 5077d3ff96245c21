"""Owners' live stories, read through: from the cache in one round trip, from the rows where it knows nothing."""

import asyncio
from collections.abc import Sequence

import structlog

from photolog.errors import StoreUnavailable
from projections.stores.port import MISSING, CacheWrite, Missing, RowStore, VersionedCache
from projections.stories import LIVE_STORIES, LiveStoryRow
from projections.user_stories import LIVE, LiveStory, live_in, user_stories_key, user_stories_write

_READS_AT_ONCE = 64
_ROWS_MAX = 1_000
_FIELDS = (LIVE,)
logger = structlog.get_logger(__name__)


async def live_stories(
    rows: RowStore, cache: VersionedCache, owner_ids: Sequence[int], now_ms: int, filled_max: int
) -> tuple[dict[int, Sequence[LiveStory]], int]:
    """The stories of each owner that are there now, in the order of playback; owners without any are left out.

    Args:
        rows: live stories.
        cache: what is cached of them; what it lacks is filled. While it is away the rows answer.
        owner_ids: whose.
        now_ms: Unix milliseconds.
        filled_max: of how many owners the rows are read at most, the first ones of whom the cache knows nothing.

    Returns:
        The stories by owner, and of how many owners nothing is known yet.

    Raises:
        StoreUnavailable: the rows did not answer.
    """
    values = await _read(cache, owner_ids)
    unknown = [owner_id for owner_id, value in zip(owner_ids, values, strict=True) if isinstance(value, Missing)]
    filled = await _fill(rows, cache, unknown[:filled_max]) if unknown else {}
    found = {}
    for owner_id, value in zip(owner_ids, values, strict=True):
        held = filled.get(owner_id) if isinstance(value, Missing) else value
        if held is not None and (stories := live_in(held, now_ms)):
            found[owner_id] = stories
    return found, max(0, len(unknown) - filled_max)


async def read_user_stories(rows: RowStore, owner_id: int, version: int = -1) -> CacheWrite:
    """The cached form of an owner's live stories, as the rows have it now.

    Args:
        rows: live stories.
        owner_id: whose.
        version: an offset that the rows are known to be at or past.
    """
    kept = await rows.scan_kept(LIVE_STORIES, (owner_id,), limit=_ROWS_MAX)
    stories = [
        LiveStory(row.story_id, row.published_ms, row.expires_ms, row.audience)
        for one in kept
        if isinstance(row := one.row, LiveStoryRow)
    ]
    return user_stories_write(owner_id, stories, max([version, *(one.offset for one in kept)]))


async def _read(cache: VersionedCache, owner_ids: Sequence[int]) -> list[bytes | Missing | None]:
    try:
        answers = await cache.read([(user_stories_key(owner_id), _FIELDS) for owner_id in owner_ids])
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
        return [MISSING] * len(owner_ids)
    return [value for (value,) in answers]


async def _fill(rows: RowStore, cache: VersionedCache, owner_ids: Sequence[int]) -> dict[int, bytes | None]:
    """Read the rows, and keep what they tell. What a job writes meanwhile is newer and stays."""
    gate = asyncio.Semaphore(_READS_AT_ONCE)

    async def read(owner_id: int) -> CacheWrite:
        async with gate:
            return await read_user_stories(rows, owner_id)

    writes = await asyncio.gather(*map(read, owner_ids))
    try:
        await cache.merge(writes)
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
    return {owner_id: write.value for owner_id, write in zip(owner_ids, writes, strict=True)}
