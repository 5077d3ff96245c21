"""Holds rows against the naive world."""

from collections import Counter, defaultdict

from projections.accounts import ACCOUNTS
from projections.comments import COMMENT_COUNTS, COMMENTS, COMMENTS_BY_POST
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
from projections.likes import LIKE_COUNTS, LIKES
from projections.media import MEDIA
from projections.posts import MEDIA_POSTS, POST_COUNTS, POSTS, POSTS_BY_OWNER, PUBLISHED_POSTS
from projections.stores.memory_rows import MemoryRows
from projections.tables import KeyTuple, R, Table
from tests.replay import actions
from tests.replay.naive import Edge, NaiveWorld
from tests.unit.projections.folding import at_once

EVERYTHING = 10_000


def hold_against(store: MemoryRows, world: NaiveWorld) -> None:
    """Assert that every list, membership and count is what the naive world says."""
    _hold_graph(store, world)
    _hold_posts(store, world)
    _hold_engagement(store, world)
    _hold_accounts_and_media(store, world)


def _scan(store: MemoryRows, table: Table[R], *partition: int) -> list[R]:
    rows = at_once(store.scan(table, partition, limit=EVERYTHING))
    for row in rows:
        assert table.key_of(row).values[: len(partition)] == partition
    return rows


def _of(edges: dict[Edge, int], first: int) -> list[KeyTuple]:
    """(since, other) of one account's edges, newest first and then by id."""
    found = [(since_ms, other) for (one, other), since_ms in edges.items() if one == first]
    return sorted(found, key=lambda edge: (-edge[0], edge[1]))


def _turned(edges: dict[Edge, int]) -> dict[Edge, int]:
    return {(other, one): since_ms for (one, other), since_ms in edges.items()}


def _hold_graph(store: MemoryRows, world: NaiveWorld) -> None:
    for who in actions.PEOPLE:
        assert [(row.since_ms, row.followee_id) for row in _scan(store, FOLLOWINGS, who)] == _of(world.follows, who)
        assert [(row.since_ms, row.followee_id) for row in _scan(store, SENT_REQUESTS, who)] == _of(world.requests, who)
        assert [(row.since_ms, row.follower_id) for row in _scan(store, FOLLOW_REQUESTS, who)] == _of(
            _turned(world.requests), who
        )
        assert [(row.since_ms, row.blocked_id) for row in _scan(store, BLOCKS, who)] == _of(world.blocks, who)
        assert [(row.since_ms, row.muted_id) for row in _scan(store, MUTES, who)] == _of(world.mutes, who)
        _hold_followers(store, world, who)
        totals: Counter[str] = Counter()
        for row in _scan(store, GRAPH_COUNTS, who):
            totals[row.counter] += row.count
        assert totals["following"] == len(_of(world.follows, who))
        assert totals["followers"] == len(_of(_turned(world.follows), who))
        assert totals["requests"] == len(_of(_turned(world.requests), who))


def _hold_followers(store: MemoryRows, world: NaiveWorld, who: int) -> None:
    found = []
    for shard in range(FOLLOWER_SHARDS):
        rows = _scan(store, FOLLOWERS, who, shard)
        assert all((row.shard, row.slot) == follower_place(row.follower_id) for row in rows)
        assert rows == sorted(rows, key=lambda row: (row.slot, row.follower_id))
        found += [(row.since_ms, row.follower_id) for row in rows]
    assert sorted(found, key=lambda edge: (-edge[0], edge[1])) == _of(_turned(world.follows), who)


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
        grid = [(row.post_id, row.status) for row in _scan(store, POSTS_BY_OWNER, owner_id)]
        assert grid == [(post_id, own[post_id].status) for post_id in sorted(own, reverse=True)]
        places = [(row.published_ms, row.post_id) for row in _scan(store, PUBLISHED_POSTS, owner_id)]
        assert places == sorted(published, reverse=True)
        assert sum(row.count for row in _scan(store, POST_COUNTS, owner_id)) == len(published)
    for medium in actions.MEDIA:
        assert {row.post_id for row in _scan(store, MEDIA_POSTS, medium)} == set(alive)


def _hold_engagement(store: MemoryRows, world: NaiveWorld) -> None:
    likes: defaultdict[int, int] = defaultdict(int)
    for actor_id in actions.PEOPLE:
        for post_id in actions.POSTS:
            row = at_once(store.get(LIKES.key(actor_id, post_id)))
            assert (row and row.liked_ms) == world.likes.get((actor_id, post_id))
            likes[post_id] += row is not None
    for post_id in actions.POSTS:
        assert sum(row.count for row in _scan(store, LIKE_COUNTS, post_id)) == likes[post_id]
        listed = [(row.comment_id, row.text) for row in _scan(store, COMMENTS_BY_POST, post_id)]
        wanted = [(comment_id, text) for (under, comment_id), text in world.comments.items() if under == post_id]
        assert listed == sorted(wanted, reverse=True)
        assert sum(row.count for row in _scan(store, COMMENT_COUNTS, post_id)) == len(listed)
        for comment_id, _ in listed:
            assert at_once(store.get(COMMENTS.key(post_id, comment_id))) is not None


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
