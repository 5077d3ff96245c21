"""Whom somebody follows, without a scan where the cache knows it: the sources of a feed.

Who is missing here would be missing in a feed, so the cache is believed down to its floor only, and rows are read
below. Who is listed too long does no harm: what is shown of them is decided by exact rules.
"""

import structlog

from gateway.services import Services
from photolog.errors import StoreUnavailable
from projections.followees import (
    FOLLOWEES_KEPT,
    Followees,
    Place,
    floor_write,
    followee_write,
    followees_key,
    parse_followees,
)
from projections.graph import FOLLOWINGS, FollowingRow
from projections.stores.port import CacheWrite, VersionedCache

FOLLOWINGS_MAX = 7_500
logger = structlog.get_logger(__name__)


async def followees(services: Services, account_id: int) -> list[int]:
    """Everyone whom an account follows, the newest followee first."""
    held = await _cached(services.cache, account_id)
    if held is None:
        return await _read(services, account_id)
    if held.floor is None:
        return list(held.ids)
    limit = max(1, FOLLOWINGS_MAX - len(held.ids))
    lower = await services.rows.scan(FOLLOWINGS, (account_id,), after=held.floor, limit=limit)
    return list(dict.fromkeys([*held.ids, *(row.followee_id for row in lower)]))


async def _cached(cache: VersionedCache, account_id: int) -> Followees | None:
    try:
        return parse_followees(await cache.read_all(followees_key(account_id)))
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
        return None


async def _read(services: Services, account_id: int) -> list[int]:
    """Read the rows, and keep the newest. What a job writes meanwhile is newer and stays."""
    kept = await services.rows.scan_kept(FOLLOWINGS, (account_id,), limit=FOLLOWINGS_MAX)
    listed = [(one.row, one.offset) for one in kept if isinstance(one.row, FollowingRow)]
    writes = [
        followee_write(account_id, row.followee_id, row.since_ms, offset) for row, offset in listed[:FOLLOWEES_KEPT]
    ]
    floor: Place | None = None
    if len(listed) > FOLLOWEES_KEPT:
        last, _ = listed[FOLLOWEES_KEPT - 1]
        floor = last.since_ms, last.followee_id
    await _keep(services.cache, [*writes, floor_write(account_id, floor)])
    return [row.followee_id for row, _ in listed]


async def _keep(cache: VersionedCache, writes: list[CacheWrite]) -> None:
    try:
        await cache.merge(writes)
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
