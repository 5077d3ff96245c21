"""What trends, for everybody; and for operators what is kept out of it."""

from typing import Annotated, Literal, cast

import msgspec

from gateway.endpoint import Answer, Call, Endpoint
from gateway.geohash import geohash
from gateway.services import Services
from photolog.errors import Invalid
from photolog.timestamps import rfc3339
from projections.barred_hashtags import ALL, BARRED_HASHTAGS
from projections.stores.trend_reading import read_trends
from projections.trend_cards import Trend
from projections.trending import WORLD

TRENDS_MAX = 500


class TrendingQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scope: `world`, or the geohash of a coarse cell; or a place, in degrees of WGS 84, whose cell is meant and the
    world where nothing trends there."""

    scope: Annotated[str, msgspec.Meta(pattern="^(world|[0-9bcdefghjkmnpqrstuvwxyz]{4})$")] | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=TRENDS_MAX)] = 20


class TrendingHashtag(msgspec.Struct, frozen=True, kw_only=True):
    """A hashtag, and how many people used it within the window."""

    hashtag: str
    people: int


class Trending(msgspec.Struct, frozen=True, kw_only=True):
    """What trends in a scope. The window is null, and the list empty, where nothing does."""

    scope: str
    window_start: str | None
    window_end: str | None
    hashtags: list[TrendingHashtag]


class BarredHashtag(msgspec.Struct, frozen=True, kw_only=True):
    hashtag: str
    reason: Literal["blocked", "sensitive"]
    operator: str
    barred_at: str


class BarredHashtags(msgspec.Struct, frozen=True, kw_only=True):
    items: list[BarredHashtag]


async def trending(services: Services, call: Call) -> Answer:
    """The hashtags that most people used in the newest window, the most used first."""
    scopes = _scopes(call.query)
    found = await read_trends(services.rows, services.cache, scopes, services.clock_ms())
    named = zip(scopes, found.lists, strict=True)
    scope, trend = next(((scope, trend) for scope, trend in named if trend is not None), (scopes[-1], None))
    return Answer(_shown(scope, trend, found.barred, call.query.limit))


async def barred(services: Services, call: Call) -> Answer:
    """The hashtags that are kept out of trends, by their texts."""
    row = await services.rows.get(BARRED_HASHTAGS.key(ALL))
    if row is None:
        return Answer(BarredHashtags(items=[]))
    entries = zip(row.hashtags, row.reasons, row.operators, row.barred_ms, strict=True)
    return Answer(
        BarredHashtags(
            items=[
                BarredHashtag(
                    hashtag=hashtag,
                    reason=cast(Literal["blocked", "sensitive"], reason),  # rows hold what the event's type allows
                    operator=operator,
                    barred_at=rfc3339(at_ms),
                )
                for hashtag, reason, operator, at_ms in entries
            ]
        )
    )


def _scopes(query: TrendingQuery) -> list[str]:
    """Where to look, in this order."""
    if (query.latitude is None) != (query.longitude is None):
        raise Invalid("half-a-place", "latitude and longitude go together", "latitude")
    if query.latitude is None or query.longitude is None:
        return [query.scope or WORLD]
    if query.scope is not None:
        raise Invalid("two-scopes", "give a scope or a place", "scope")
    return [geohash(query.latitude, query.longitude), WORLD]


def _shown(scope: str, trend: Trend | None, barred: frozenset[str], limit: int) -> Trending:
    if trend is None:
        return Trending(scope=scope, window_start=None, window_end=None, hashtags=[])
    allowed = [
        TrendingHashtag(hashtag=hashtag, people=people)
        for hashtag, people in zip(trend.hashtags, trend.people, strict=True)
        if hashtag not in barred
    ]
    return Trending(
        scope=scope,
        window_start=rfc3339(trend.window_start_ms),
        window_end=rfc3339(trend.window_end_ms),
        hashtags=allowed[:limit],
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/trending",
        trending,
        "Hashtags that trend",
        "trending",
        auth="optional",
        query=TrendingQuery,
        response=Trending,
        models=("trending",),
    ),
    Endpoint(
        "GET",
        "/v1/moderation/hashtags",
        barred,
        "Hashtags that are kept out of trends",
        "moderation",
        auth="operator",
        response=BarredHashtags,
        models=("barred_hashtags",),
    ),
)
