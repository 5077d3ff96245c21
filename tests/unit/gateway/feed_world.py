"""A small world behind the feed, over memory adapters: what the jobs write, and the naive feed that it should give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from typing import Any

import msgspec

from gateway.queries.feed import feed_page
from gateway.readings import Readings
from gateway.services import Services
from photolog.settings import LimitSettings
from projections.accounts import ACCOUNTS, AccountRow
from projections.cards import cache_writes
from projections.comments import (
    COMMENT_COUNTS,
    COMMENTS,
    COMMENTS_BY_POST,
    RANKED_COMMENTS,
    CommentCountRow,
    CommentRow,
    PostCommentRow,
    RankedCommentRow,
    rank_of,
)
from projections.feed import TOP, Place, entry_of
from projections.followees import followee_write
from projections.graph import FOLLOWERS, FOLLOWINGS, PAIRS, FollowerRow, FollowingRow, PairRow, follower_place
from projections.likes import LIKE_COUNTS, LIKES, LikeCountRow, LikeRow
from projections.posts import POSTS, PUBLISHED_POSTS, PostRow, PublishedPostRow
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.memory_recent import MemoryRecent
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import (
    Delivery,
    RecentChange,
    RecentPosts,
    RowStore,
    TimelineEntry,
    TimelineStore,
    VersionedCache,
)
from projections.stores.recent_reading import fill_recent
from projections.stores.top_comments import read_top_comments
from projections.writes import Positioned, Write, put, remove
from tests.unit.gateway.river import River

CAP = 20


@dataclass
class World:
    """Accounts, their posts and what is between them. Every change is written as the jobs write it: rows first, then
    caches, then timelines."""

    rows: RowStore = field(default_factory=MemoryRows)
    cap: int = CAP
    timelines: TimelineStore = field(init=False)
    recent: RecentPosts = field(default_factory=MemoryRecent)
    cache: VersionedCache = field(default_factory=MemoryCache)
    offset: int = 0
    clock_ms: int = 1_000
    accounts: dict[int, AccountRow] = field(default_factory=dict)
    pairs: dict[tuple[int, int], PairRow] = field(default_factory=dict)
    posts: dict[int, PostRow] = field(default_factory=dict)
    likes: set[tuple[int, int]] = field(default_factory=set)
    comments: dict[int, int] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: count(10_000))

    def __post_init__(self) -> None:
        self.timelines = MemoryTimelines(self.cap)

    def services(self) -> Services:
        """A gateway's services over this world."""
        limits = LimitSettings.model_construct(timeline_entries=self.cap)
        settings = _any_services().settings.model_copy(update={"limits": limits})
        return replace(
            _any_services(),
            rows=self.rows,
            timelines=self.timelines,
            recent=self.recent,
            cache=self.cache,
            settings=settings,
            readings=Readings(),
        )

    async def account(self, account_id: int, **changes: Any) -> None:
        """Make an account, or change it."""
        fresh = AccountRow(
            account_id=account_id,
            username=f"user{account_id}",
            display_name=None,
            bio=None,
            private=False,
            suspended=False,
            created_ms=0,
        )
        row = msgspec.structs.replace(self.accounts.get(account_id, fresh), **changes)
        self.accounts[account_id] = row
        await self._write(put(ACCOUNTS, row))

    async def relate(self, one: int, other: int, **changes: Any) -> None:
        """Change what `one` does to `other`: follows, blocks, mutes. Follows are listed, and merged at once."""
        low, high = sorted((one, other))
        side = "low" if one == low else "high"
        before = self.pairs.get((low, high), PairRow(low_id=low, high_id=high))
        row = msgspec.structs.replace(before, **{f"{side}_{name}": value for name, value in changes.items()})
        self.pairs[low, high] = row
        shard, slot = follower_place(one)
        listed: list[Write] = [
            put(FOLLOWINGS, FollowingRow(follower_id=one, since_ms=0, followee_id=other)),
            put(FOLLOWERS, FollowerRow(followee_id=other, shard=shard, slot=slot, follower_id=one, since_ms=0)),
        ]
        if self._follows(one, other) != "active":
            listed = [remove(write.key) for write in listed]
        await self._write(*listed, put(PAIRS, row))
        since_ms = 0 if self._follows(one, other) == "active" else None
        await self.cache.merge([followee_write(one, other, since_ms, self.offset)])
        if self._follows(one, other) == "active":
            posts = await self.rows.scan(PUBLISHED_POSTS, (other,), limit=self.cap)
            await self.timelines.merge(one, [entry_of(post) for post in posts], low_mark_ms=None)

    async def follow(self, one: int, other: int) -> None:
        await self.relate(one, other, follows="active")

    async def post(self, author: int, at_ms: int | None = None, pull: bool = False) -> int:
        """Publish a post; time passes, unless it is given one."""
        self.clock_ms += 1
        post_id = next(self.ids)
        row = _post(post_id, author, at_ms or self.clock_ms, pull)
        self.posts[post_id] = row
        place = PublishedPostRow(
            owner_id=author, published_ms=row.published_ms or 0, post_id=post_id, delivery=row.delivery or "push"
        )
        older = await self.rows.scan(PUBLISHED_POSTS, (author,), after=(place.published_ms, post_id), limit=1)
        await self._write(put(PUBLISHED_POSTS, place), put(POSTS, row))
        entry = entry_of(place)
        await self._recorded(entry, there=True)
        if not pull or not older or older[0].delivery == "push":
            await self.timelines.deliver([Delivery(entry, tuple(await self._followers(author)))])
        await self.timelines.merge(author, [msgspec.structs.replace(entry, pull=False)], low_mark_ms=None)
        return post_id

    async def delete(self, post_id: int) -> None:
        row = msgspec.structs.replace(self.posts[post_id], status="deleted", caption=None)
        self.posts[post_id] = row
        await self._write(
            remove(PUBLISHED_POSTS.key(row.owner_id, row.published_ms, post_id)),
            put(POSTS, row),
        )
        gone = TimelineEntry(row.published_ms or 0, post_id, row.owner_id, row.delivery == "pull")
        await self._recorded(gone, there=False)

    async def like(self, actor: int, post_id: int) -> None:
        self.likes.add((actor, post_id))
        source = actor % 3
        count = sum(1 for other, liked in self.likes if liked == post_id and other % 3 == source)
        await self._write(
            put(LIKE_COUNTS, LikeCountRow(post_id=post_id, source=source, count=count)),
            put(LIKES, LikeRow(actor_id=actor, post_id=post_id, liked_ms=0)),
        )

    async def comment(self, author: int, post_id: int, likes: int = 0) -> int:
        """Comment on a post; so many already like the comment."""
        comment_id, self.clock_ms = next(self.ids), self.clock_ms + 1
        count = self.comments[post_id] = self.comments.get(post_id, 0) + 1
        row = PostCommentRow(
            post_id=post_id, comment_id=comment_id, author_id=author, text="nice", created_ms=self.clock_ms
        )
        decided = CommentRow(
            post_id=post_id, comment_id=comment_id, author_id=author, created_ms=self.clock_ms, likes=likes
        )
        await self._write(
            put(COMMENTS_BY_POST, row),
            put(RANKED_COMMENTS, RankedCommentRow(post_id=post_id, rank=rank_of(likes), comment_id=comment_id)),
            put(COMMENTS, decided),
            put(COMMENT_COUNTS, CommentCountRow(post_id=post_id, source=0, count=count)),
        )
        await self.cache.merge([await read_top_comments(self.rows, post_id)])
        return comment_id

    def expected(self, viewer: int) -> list[int]:
        """The whole feed of a viewer, from nothing but what is true."""
        shown = [
            post
            for post in self.posts.values()
            if post.status == "published"
            and (
                post.owner_id == viewer
                or (
                    self._follows(viewer, post.owner_id) == "active"
                    and not self.accounts[post.owner_id].suspended
                    and not any(self._side(*ends, "blocks") for ends in _both(viewer, post.owner_id))
                    and not self._side(viewer, post.owner_id, "mutes")
                )
            )
        ]
        shown.sort(key=lambda post: (post.published_ms or 0, post.post_id), reverse=True)
        return [post.post_id for post in shown]

    async def read_all(self, viewer: int, limit: int = 5) -> list[list[int]]:
        """Every page of a viewer's feed."""
        pages, before = [], None
        services = self.services()
        while True:
            page, before = await read_page(services, viewer, before, limit)
            pages.append(page)
            if before is None:
                return pages

    async def _recorded(self, entry: TimelineEntry, *, there: bool) -> None:
        for unknown in await self.recent.record([RecentChange(entry, self.offset, there)]):
            await fill_recent(self.rows, self.recent, [unknown])

    def _side(self, one: int, other: int, name: str) -> Any:
        low, high = sorted((one, other))
        pair = self.pairs.get((low, high), PairRow(low_id=low, high_id=high))
        return getattr(pair, f"{'low' if one == low else 'high'}_{name}")

    def _follows(self, one: int, other: int) -> Any:
        return self._side(one, other, "follows")

    async def _followers(self, author: int) -> list[int]:
        found: list[int] = []
        for shard in range(16):
            rows = await self.rows.scan(FOLLOWERS, (author, shard), limit=10_000)
            found += [row.follower_id for row in rows]
        return found

    async def _write(self, *writes: Write) -> None:
        self.offset += 1
        keys = [write.key for write in writes]
        before = await self.rows.load(keys)
        await self.rows.apply([[Positioned(write, self.offset) for write in writes]])
        held = await self.rows.load(keys)
        there = [key for key in keys if held[key].offset >= 0]
        await self.cache.merge(
            [cached for key in there for cached in cache_writes(key, held[key], before[key].offset < 0)]
        )


async def read_page(
    services: Services, viewer: int, before: Place | None = None, limit: int = 20
) -> tuple[list[int], Place | None]:
    """The ids on a page that is complete for all of them, and where it ends."""
    page = await feed_page(services, viewer, before or TOP, limit)
    assert page.complete == len(page.cards)
    return ids_of(page.cards), page.mark


def ids_of(cards: Iterable[bytes]) -> list[int]:
    """The posts that are on these cards."""
    return [int(msgspec.json.decode(card)["id"]) for card in cards]


@lru_cache(maxsize=1)
def _any_services() -> Services:
    return River().services


def _both(one: int, other: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (one, other), (other, one)


def _post(post_id: int, author: int, published_ms: int, pull: bool) -> PostRow:
    return PostRow(
        post_id=post_id,
        owner_id=author,
        status="published",
        caption="words",
        mentions=[],
        hashtags=[],
        alt_texts=[],
        location_name=None,
        location_latitude=None,
        location_longitude=None,
        audience="public",
        media_ids=[],
        media=b"[]",
        delivery="pull" if pull else "push",
        created_ms=published_ms,
        published_ms=published_ms,
        edited_ms=None,
        rejection=None,
    )
