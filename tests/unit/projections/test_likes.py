"""Likes: membership and counts."""

from projections.likes import (
    LIKE_COUNTS,
    LIKER_SHARDS,
    LIKERS,
    LIKES,
    LIKES_PROJECTION,
    LikeCountRow,
    LikeRow,
    liker_shard,
)
from schemas import events as e
from tests.unit.projections.folding import Folding

POST = 90


def like(actor_id: int) -> e.Event:
    return e.PostLiked(actor_id=actor_id, post_id=POST)


def unlike(actor_id: int) -> e.Event:
    return e.PostUnliked(actor_id=actor_id, post_id=POST)


def count(folding: Folding) -> int:
    return sum(row.count for row in folding.rows(LIKE_COUNTS, POST))


def test_a_like_is_remembered_and_counted() -> None:
    folding = Folding(LIKES_PROJECTION, partition=3).apply(like(1))
    assert folding.row(LIKES.key(1, POST)) == LikeRow(actor_id=1, post_id=POST, liked_ms=folding.last_ms)
    assert folding.rows(LIKE_COUNTS, POST) == [LikeCountRow(post_id=POST, source=3, count=1)]


def test_liking_twice_counts_once() -> None:
    assert count(Folding(LIKES_PROJECTION).apply(like(1), like(1), like(2))) == 2


def test_unliking_takes_the_like_back() -> None:
    folding = Folding(LIKES_PROJECTION).apply(like(1), like(2), unlike(1))
    assert folding.row(LIKES.key(1, POST)) is None
    assert count(folding) == 1


def test_unliking_what_is_not_liked_changes_nothing() -> None:
    folding = Folding(LIKES_PROJECTION).apply(unlike(1), like(2), unlike(1))
    assert count(folding) == 1


def test_likes_of_other_posts_are_counted_apart() -> None:
    folding = Folding(LIKES_PROJECTION).apply(like(1), e.PostLiked(actor_id=1, post_id=POST + 1))
    assert count(folding) == 1
    assert [row.count for row in folding.rows(LIKE_COUNTS, POST + 1)] == [1]


def test_the_last_unlike_leaves_a_count_of_zero_that_keeps_its_place_in_the_log() -> None:
    folding = Folding(LIKES_PROJECTION, partition=3).apply(like(1), unlike(1))
    assert folding.rows(LIKE_COUNTS, POST) == [LikeCountRow(post_id=POST, source=3, count=0)]


def test_likers_spread_over_shards_and_leave_with_their_like() -> None:
    folding = Folding(LIKES_PROJECTION).apply(*map(like, range(1, 201)), *map(unlike, range(1, 101)))
    shards = [folding.rows(LIKERS, POST, shard) for shard in range(LIKER_SHARDS)]
    assert all(shards), "two hundred likers leave no shard empty"
    assert sorted(row.actor_id for rows in shards for row in rows) == list(range(101, 201))
    for shard, rows in enumerate(shards):
        assert all(liker_shard(row.actor_id) == shard for row in rows)
        assert [row.liked_ms for row in rows] == sorted((row.liked_ms for row in rows), reverse=True)
