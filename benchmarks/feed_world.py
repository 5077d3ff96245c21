"""Accounts that follow ten and two thousand others, with posts as people make them, straight into rows and caches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeVar

import msgspec

from benchmarks.feed_server import PAGE_FIELD, page_key
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.redis_client import connect_redis
from photolog.ids import SnowflakeSource, now_ms
from photolog.settings import Settings
from projections.accounts import ACCOUNTS, AccountRow
from projections.follower_heads import FOLLOWER_HEADS, FollowerHeadRow, head_after
from projections.graph import FOLLOWERS, FOLLOWINGS, PAIRS, FollowerRow, FollowingRow, PairRow, follower_place
from projections.posts import POSTS, PUBLISHED_POSTS, PostRow, PublishedPostRow
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.port import CacheWrite
from projections.stores.redis_cache import RedisCache
from projections.writes import Positioned, Write, put
from schemas.events import MediaItem
from transcode.plan import variant_plan

AUTHORS = 2_000
_BUSY_AUTHORS = 10  # the first ones, whom everybody follows; they alone fill a timeline
_BUSY_POSTS, _POSTS = 40, 2
_CELEBRITY_STRIDE = 4  # a celebrity posts a quarter of what a busy author does
_WRITES_AT_ONCE = 2_000
_CAPTION = (
    "Fog over the valley this morning, and the first snow on the hills behind it. #morning #valley with @somebody"
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Follows:
    """How many a viewer follows: of the authors, and of those whose posts are pulled."""

    authors: int
    celebrities: int = 0


async def seed(settings: Settings, viewers: Mapping[int, Follows]) -> list[int]:
    """Write rows: no job runs here.

    Args:
        settings: of the engines.
        viewers: whom each viewer follows.

    Returns:
        The authors, the busy ones first.
    """
    ids = SnowflakeSource(1_023)
    authors = [ids.next() for _ in range(AUTHORS)]
    session = await CassandraSession.connect(settings.cassandra)
    try:
        rows = CassandraRows(session)
        for writes in _parts(_world(ids, authors, viewers), _WRITES_AT_ONCE):
            await rows.apply([[Positioned(write, 0) for write in writes]])
        return authors
    finally:
        await session.close()


async def keep_pages(settings: Settings, pages: dict[int, bytes]) -> None:
    """Put a ready page of each viewer where the opponent finds it."""
    client = connect_redis(settings.redis)
    try:
        cache = RedisCache(client, settings.limits.cache_seconds * 1_000)
        await cache.merge([CacheWrite(page_key(viewer), PAGE_FIELD, 1, page) for viewer, page in pages.items()])
    finally:
        await client.aclose()


def _world(ids: SnowflakeSource, authors: Sequence[int], viewers: Mapping[int, Follows]) -> Iterator[Write]:
    now = now_ms()
    celebrities = [ids.next() for _ in range(max(follows.celebrities for follows in viewers.values()))]
    for number, author_id in enumerate((*authors, *celebrities)):
        yield put(ACCOUNTS, account_row(author_id, f"author_{number}", now))
    heads: dict[int, FollowerHeadRow] = {}
    for viewer_id, follows in viewers.items():
        yield put(ACCOUNTS, account_row(viewer_id, f"viewer_{follows.authors}", now))
        for author_id in (*authors[: follows.authors], *celebrities[: follows.celebrities]):
            yield from followed(viewer_id, author_id, now)
            empty = FollowerHeadRow(followee_id=author_id, source=0, overflowed=False, follower_ids=[])
            heads[author_id] = head_after(heads.get(author_id, empty), viewer_id, True)
    yield from (put(FOLLOWER_HEADS, head) for head in heads.values())
    for turn in range(_BUSY_POSTS):
        for celebrity_id in celebrities if turn % _CELEBRITY_STRIDE == 0 else ():
            now += 1
            yield from posted(ids, celebrity_id, now, "pull")
        for number, author_id in enumerate(authors):
            if number < _BUSY_AUTHORS or turn >= _BUSY_POSTS - _POSTS:
                now += 1
                yield from posted(ids, author_id, now)


def followed(viewer_id: int, author_id: int, at_ms: int) -> Iterable[Write]:
    """The rows of a following."""
    low, high = sorted((viewer_id, author_id))
    side = "low" if low == viewer_id else "high"
    changes = {f"{side}_follows": "active", f"{side}_follows_since_ms": at_ms}
    shard, slot = follower_place(viewer_id)
    yield put(PAIRS, msgspec.structs.replace(PairRow(low_id=low, high_id=high), **changes))
    yield put(FOLLOWINGS, FollowingRow(follower_id=viewer_id, since_ms=at_ms, followee_id=author_id))
    yield put(
        FOLLOWERS,
        FollowerRow(followee_id=author_id, shard=shard, slot=slot, follower_id=viewer_id, since_ms=at_ms),
    )


def posted(
    ids: SnowflakeSource, author_id: int, at_ms: int, delivery: Literal["push", "pull"] = "push"
) -> Iterable[Write]:
    """The rows of a published post with two pictures."""
    post_id = ids.next()
    media_ids = [ids.next(), ids.next()]
    names = [variant.name for variant in variant_plan(4_000, 3_000)]
    media = [MediaItem(media_id=media_id, width=4_000, height=3_000, variants=names) for media_id in media_ids]
    post = PostRow(
        post_id=post_id,
        owner_id=author_id,
        status="published",
        caption=_CAPTION,
        mentions=["somebody"],
        hashtags=["morning", "valley"],
        alt_texts=["A valley full of fog", ""],
        location_name="Jena",
        location_latitude=50.927,
        location_longitude=11.586,
        audience="public",
        media_ids=media_ids,
        media=msgspec.json.encode(media),
        delivery=delivery,
        created_ms=at_ms,
        published_ms=at_ms,
        edited_ms=None,
        rejection=None,
    )
    yield put(
        PUBLISHED_POSTS, PublishedPostRow(owner_id=author_id, published_ms=at_ms, post_id=post_id, delivery=delivery)
    )
    yield put(POSTS, post)


def account_row(account_id: int, username: str, now: int) -> AccountRow:
    """Somebody public."""
    return AccountRow(
        account_id=account_id,
        username=username,
        display_name=username.title(),
        bio=None,
        private=False,
        suspended=False,
        created_ms=now,
    )


def _parts(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    remaining = iter(items)
    while part := list(islice(remaining, size)):
        yield part
