"""The cached forms of trends, and of the hashtags that are kept out of them.

| entry | fields |
|---|---|
| `trends:{bucket}:scope` | `list`; the entry ends two hours after the window |
| `barred:{bucket}:all` | `list`, the same in every bucket, so that a scope's list and this one lie on one node |
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import cast

import msgspec

from projections.barred_hashtags import ALL, BARRED_HASHTAGS, BarredHashtagsRow
from projections.stores.port import CacheWrite
from projections.tables import KeyTuple
from projections.trending import TRENDS, TrendRow
from projections.writes import Kept

LIST = "list"
SHOWN_MS = 7_200_000
"""How long after its window a list is shown: where nobody used a hashtag for that long, nothing trends."""
_BUCKETS = 16
_SCOPES_KEPT = 4_096


class Trend(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A scope's list as it is cached; fields as in `TrendRow`."""

    window_start_ms: int
    window_end_ms: int
    hashtags: list[str]
    people: list[int]

    def is_shown(self, now_ms: int) -> bool:
        """Whether it is new enough at a time, Unix ms."""
        return now_ms < self.window_end_ms + SHOWN_MS


_TREND = msgspec.json.Decoder(Trend)
_BARRED = msgspec.json.Decoder(frozenset[str])


@lru_cache(maxsize=_SCOPES_KEPT)
def trend_key(scope: str) -> str:
    """The entry of a scope."""
    return f"trends:{{{_bucket(scope)}}}:{scope}"


def barred_key(scope: str) -> str:
    """The entry of the barred hashtags beside a scope's."""
    return f"barred:{{{_bucket(scope)}}}:{ALL}"


def trend_writes(scope: str, kept: Kept) -> list[CacheWrite]:
    """The cached form of what TRENDS holds of a scope."""
    row = cast(TrendRow | None, kept.row)
    if row is None:
        return [CacheWrite(trend_key(scope), LIST, kept.offset, None)]
    value = msgspec.json.encode(Trend(row.window_start_ms, row.window_end_ms, row.hashtags, row.people))
    return [CacheWrite(trend_key(scope), LIST, kept.offset, value, row.window_end_ms + SHOWN_MS)]


def barred_writes(kept: Kept) -> list[CacheWrite]:
    """The cached form of BARRED_HASHTAGS, in every bucket."""
    row = cast(BarredHashtagsRow | None, kept.row)
    value = msgspec.json.encode(row.hashtags if row is not None else [])
    return [CacheWrite(f"barred:{{{bucket}}}:{ALL}", LIST, kept.offset, value) for bucket in range(_BUCKETS)]


def parse_trend(value: bytes | None) -> Trend | None:
    """A list from its cached form; None where nothing was ever known."""
    return None if value is None else _TREND.decode(value)


def parse_barred(value: bytes | None) -> frozenset[str]:
    """Barred hashtags from their cached form."""
    return frozenset() if value is None else _BARRED.decode(value)


def _bucket(scope: str) -> int:
    return zlib.crc32(scope.encode()) % _BUCKETS


TREND_FORMS: Mapping[str, Callable[[KeyTuple, Kept], Iterable[CacheWrite]]] = {
    TRENDS.name: lambda key, kept: trend_writes(key[0], kept),
    BARRED_HASHTAGS.name: lambda key, kept: barred_writes(kept),
}
