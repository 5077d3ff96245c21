"""Holds rows against the naive world."""

from collections import Counter
from typing import Any

from projections.accounts import ACCOUNTS
from projections.comment_likes import COMMENT_LIKE_COUNTS
from projections.comments import (
    COMMENT_COUNTS,
    COMMENTS,
    COMMENTS_BY_POST,
    RANKED_COMMENTS,
    REPLIES,
    REPLY_COUNTS,
    rank_of,
)
from projections.follower_heads import FOLLOWER_HEADS, followers_in
from projections.graph import (
    BLOCKS,
    FOLLOW_REQUESTS,
    FOLLOWER_SHARDS,
    FOLLOWERS,
    FOLLOWINGS,
    GRAPH_COUNTS,
    MUTES,
    SENT_REQUESTS,
    follower_place,
)
from projections.likes import LIKE_COUNTS, LIKER_SHARDS, LIKERS, LIKES, liker_shard
from projections.media import MEDIA
from projections.posts import MEDIA_POSTS, POST_COUNTS, POSTS, POSTS_BY_OWNER, PUBLISHED_POSTS
from projections.reports import REPORTS_BY_WEEK
from projections.saves import SAVE_COUNTS, SAVED_POSTS, SAVES
from projections.shares import SHARE_COUNTS
from projections.stores.memory_rows import MemoryRows
from projections.tables import KeyTuple, Table
from schemas.topics import WEEK_MS
from tests.replay import actions
from tests.replay.naive import Edge, NaiveWorld
from tests.replay.scanning import scanned
from tests.replay.story_expectations import hold_stories
from tests.replay.window_expectations import hold_moderation, hold_windows
from tests.unit.projections.folding import at_once


def hold_against(store: MemoryRows, world: NaiveWorld) -> None:
    """Assert that every list, membership and count is what the naive world says."""
    _hold_graph(store, world)
    _hold_posts(store, world)
    _hold_engagement(store, world)
    _hold_comments(store, world)
    _hold_reports(store, world)
    _hold_accounts_and_media(store, world)
    hold_stories(store, world.stories)
    hold_windows(store, world.windows)
    hold_moderation(store, world.moderation)


def _of(edges: dict[Edge, int], first: int) -> list[KeyTuple]:
    """(since, other) of one account's edges, newest first and then by id."""
    found = [(since_ms, other) for (one, other), since_ms in edges.items() if one == first]
    return sorted(found, key=lambda edge: (-edge[0], edge[1]))


def _turned(edges: dict[Edge, int]) -> dict[Edge, int]:
    return {(other, one): since_ms for (one, other), since_ms in edges.items()}


def _hold_graph(store: MemoryRows, world: NaiveWorld) -> None:
    for who in actions.PEOPLE:
        assert [(row.since_ms, row.followee_id) for row in scanned(store, FOLLOWINGS, who)] == _of(world.follows, who)
        assert [(row.since_ms, row.followee_id) for row in scanned(store, SENT_REQUESTS, who)] == _of(
            world.requests, who
        )
        assert [(row.since_ms, row.follower_id) for row in scanned(store, FOLLOW_REQUESTS, who)] == _of(
            _turned(world.requests), who
        )
        assert [(row.since_ms, row.blocked_id) for row in scanned(store, BLOCKS, who)] == _of(world.blocks, who)
        assert [(row.since_ms, row.muted_id) for row in scanned(store, MUTES, who)] == _of(world.mutes, who)
        _hold_followers(store, world, who)
        totals: Counter[str] = Counter()
        for row in scanned(store, GRAPH_COUNTS, who):
            totals[row.counter] += row.count
        assert totals["following"] == len(_of(world.follows, who))
        assert totals["followers"] == len(_of(_turned(world.follows), who))
        assert totals["requests"] == len(_of(_turned(world.requests), who))


def _hold_followers(store: MemoryRows, world: NaiveWorld, who: int) -> None:
    found = []
    for shard in range(FOLLOWER_SHARDS):
        rows = scanned(store, FOLLOWERS, who, shard)
        assert all((row.shard, row.slot) == follower_place(row.follower_id) for row in rows)
        assert rows == sorted(rows, key=lambda row: (row.slot, row.follower_id))
        found += [(row.since_ms, row.follower_id) for row in rows]
    assert sorted(found, key=lambda edge: (-edge[0], edge[1])) == _of(_turned(world.follows), who)
    heads = followers_in(scanned(store, FOLLOWER_HEADS, who))
    assert heads is None or {follower_id for _, follower_id in found} <= set(heads)


def _hold_posts(store: MemoryRows, world: NaiveWorld) -> None:
    for post_id in actions.POSTS:
        row = at_once(store.get(POSTS.key(post_id)))
        naive = world.posts.get(post_id)
        assert (row and (row.owner_id, row.status, row.caption, row.published_ms)) == (
            naive and (naive.owner_id, naive.status, naive.caption, naive.published_ms)
        )
    alive = {post_id: post for post_id, post in world.posts.items() if post.status != "deleted"}
    for owner_id in actions.PEOPLE:
        own = {post_id: post for post_id, post in alive.items() if post.owner_id == owner_id}
        published = [(post.published_ms, post_id) for post_id, post in own.items() if post.status == "published"]
        grid = [(row.post_id, row.status) for row in scanned(store, POSTS_BY_OWNER, owner_id)]
        assert grid == [(post_id, own[post_id].status) for post_id in sorted(own, reverse=True)]
        places = [(row.published_ms, row.post_id) for row in scanned(store, PUBLISHED_POSTS, owner_id)]
        assert places == sorted(published, reverse=True)
        assert sum(row.count for row in scanned(store, POST_COUNTS, owner_id)) == len(published)
    for medium in actions.MEDIA:
        assert {row.post_id for row in scanned(store, MEDIA_POSTS, medium)} == set(alive)


def _hold_engagement(store: MemoryRows, world: NaiveWorld) -> None:
    for actor_id in actions.PEOPLE:
        saved = sorted(((at, post_id) for (who, post_id), at in world.saves.items() if who == actor_id), reverse=True)
        assert [(row.saved_ms, row.post_id) for row in scanned(store, SAVED_POSTS, actor_id)] == saved
        for post_id in actions.POSTS:
            like = at_once(store.get(LIKES.key(actor_id, post_id)))
            assert (like and like.liked_ms) == world.likes.get((actor_id, post_id))
            save = at_once(store.get(SAVES.key(actor_id, post_id)))
            assert (save and save.saved_ms) == world.saves.get((actor_id, post_id))
    for post_id in actions.POSTS:
        likers = []
        for shard in range(LIKER_SHARDS):
            rows = scanned(store, LIKERS, post_id, shard)
            assert all(liker_shard(row.actor_id) == shard for row in rows)
            likers += [(row.liked_ms, row.actor_id) for row in rows]
        assert sorted(likers) == sorted((at, who) for (who, liked), at in world.likes.items() if liked == post_id)
        assert _total(store, LIKE_COUNTS, post_id) == len(likers)
        assert _total(store, SAVE_COUNTS, post_id) == sum(saved == post_id for _, saved in world.saves)
        assert _total(store, SHARE_COUNTS, post_id) == sum(shared == post_id for shared in world.shares.values())


def _hold_comments(store: MemoryRows, world: NaiveWorld) -> None:
    for post_id in actions.POSTS:
        there = {comment_id: one for (under, comment_id), one in world.comments.items() if under == post_id}
        tops = {comment_id: one for comment_id, one in there.items() if one.parent_id is None}
        listed = [(row.comment_id, row.text) for row in scanned(store, COMMENTS_BY_POST, post_id)]
        assert listed == [(comment_id, tops[comment_id].text) for comment_id in sorted(tops, reverse=True)]
        likes = {comment_id: sum(count for _, count in one.likes.values()) for comment_id, one in there.items()}
        ranked = [(row.rank, row.comment_id) for row in scanned(store, RANKED_COMMENTS, post_id)]
        assert ranked == sorted(((rank_of(likes[comment_id]), comment_id) for comment_id in tops), reverse=True)
        assert _total(store, COMMENT_COUNTS, post_id) == len(there)
        for comment_id in there:
            row = at_once(store.get(COMMENTS.key(post_id, comment_id)))
            assert row is not None
            assert row.likes == likes[comment_id]
        for parent_id in (401, 402):
            replies = sorted(comment_id for comment_id, one in there.items() if one.parent_id == parent_id)
            assert [row.comment_id for row in scanned(store, REPLIES, post_id, parent_id)] == replies
            count = at_once(store.get(REPLY_COUNTS.key(post_id, parent_id)))
            assert (count.count if count else 0) == len(replies)
    for comment_id in range(401, 405):
        likers = sum(liked == comment_id for _, liked in world.comment_likes)
        assert _total(store, COMMENT_LIKE_COUNTS, comment_id) == likers


def _hold_reports(store: MemoryRows, world: NaiveWorld) -> None:
    listed = scanned(store, REPORTS_BY_WEEK, actions.START_MS // WEEK_MS)
    assert [(row.reported_ms, row.report_id) for row in listed] == sorted(
        ((at_ms, report_id) for report_id, at_ms in world.reports.values()), reverse=True
    )


def _total(store: MemoryRows, table: Table[Any], subject_id: int) -> int:
    return sum(row.count for row in scanned(store, table, subject_id))


def _hold_accounts_and_media(store: MemoryRows, world: NaiveWorld) -> None:
    for account_id in actions.PEOPLE:
        account = at_once(store.get(ACCOUNTS.key(account_id)))
        assert (account and account.private) == world.private.get(account_id)
        assert bool(account and account.suspended) == (account_id in world.suspended)
        assert bool(account and account.deleted) == (account_id in world.deleted)
        assert account is None or not account.deleted or account.username is None
    for medium in actions.MEDIA:
        media = at_once(store.get(MEDIA.key(medium)))
        assert (media and media.status) == world.media.get(medium)
