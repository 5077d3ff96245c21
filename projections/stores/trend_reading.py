"""Trends and what is kept out of them, read through: from the cache in one round trip, from the rows where it knows
nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from photolog.errors import StoreUnavailable
from projections.barred_hashtags import ALL, BARRED_HASHTAGS
from projections.stores.port import MISSING, CacheWrite, Missing, RowStore, VersionedCache
from projections.tables import Row, RowKey
from projections.trend_cards import (
    LIST,
    Trend,
    barred_key,
    barred_writes,
    parse_barred,
    parse_trend,
    trend_key,
    trend_writes,
)
from projections.trending import TRENDS
from projections.writes import Kept

_FIELDS = (LIST,)
_Values = list[bytes | Missing | None]
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trends:
    """What was read.

    Args:
        lists: of each scope that was asked for; None where nothing is shown.
        barred: hashtags that are not to be shown.
    """

    lists: Sequence[Trend | None]
    barred: frozenset[str]


async def read_trends(rows: RowStore, cache: VersionedCache, scopes: Sequence[str], now_ms: int) -> Trends:
    """The lists of some scopes, as they are to be shown now.

    Args:
        rows: lists and barred hashtags.
        cache: what is cached of them; what it lacks is filled. While it is away the rows answer.
        scopes: one at least.
        now_ms: Unix milliseconds.

    Raises:
        StoreUnavailable: the rows did not answer.
    """
    values = await _read(cache, scopes)
    if any(isinstance(value, Missing) for value in values):
        values = await _fill(rows, cache, scopes, values, now_ms)
    *lists, barred = [None if isinstance(value, Missing) else value for value in values]
    trends = [parse_trend(value) for value in lists]
    return Trends([one if one is not None and one.is_shown(now_ms) else None for one in trends], parse_barred(barred))


async def _read(cache: VersionedCache, scopes: Sequence[str]) -> _Values:
    wanted = [*[(trend_key(scope), _FIELDS) for scope in scopes], (barred_key(scopes[0]), _FIELDS)]
    try:
        return [value for (value,) in await cache.read(wanted)]
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
        return [MISSING] * len(wanted)


async def _fill(rows: RowStore, cache: VersionedCache, scopes: Sequence[str], values: _Values, now_ms: int) -> _Values:
    """Read the rows of what is missing, and keep what they tell."""
    keys: list[RowKey[Row]] = [*(TRENDS.key(scope) for scope in scopes), BARRED_HASHTAGS.key(ALL)]
    missing = [place for place, value in enumerate(values) if isinstance(value, Missing)]
    state = await rows.load([keys[place] for place in missing])
    forms = {place: _forms(keys[place], state[keys[place]], now_ms) for place in missing}
    try:
        await cache.merge([write for writes in forms.values() for write in writes])
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
    return [forms[place][0].value if place in forms else value for place, value in enumerate(values)]


def _forms(key: RowKey[Row], kept: Kept, now_ms: int) -> list[CacheWrite]:
    """What is kept of a row. An entry that has ended cannot hold a list; that nothing trends is remembered instead."""
    if key.table.name == BARRED_HASHTAGS.name:
        return barred_writes(kept)
    scope = str(key.values[0])
    (write,) = trend_writes(scope, kept)
    if write.ends_ms is not None and write.ends_ms <= now_ms:
        return [CacheWrite(write.key, LIST, kept.offset, None)]
    return [write]
