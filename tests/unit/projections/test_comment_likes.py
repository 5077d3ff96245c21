"""Likes of comments: membership and counts."""

from projections.comment_likes import COMMENT_LIKE_COUNTS, COMMENT_LIKES, COMMENT_LIKES_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import Folding

POST, COMMENT = 90, 5


def like(actor_id: int, comment_id: int = COMMENT) -> e.Event:
    return e.CommentLiked(actor_id=actor_id, comment_id=comment_id, post_id=POST)


def unlike(actor_id: int) -> e.Event:
    return e.CommentUnliked(actor_id=actor_id, comment_id=COMMENT, post_id=POST)


def count(folding: Folding, comment_id: int = COMMENT) -> int:
    return sum(row.count for row in folding.rows(COMMENT_LIKE_COUNTS, comment_id))


def test_liking_twice_counts_once() -> None:
    folding = Folding(COMMENT_LIKES_PROJECTION).apply(like(1), like(1), like(2), like(1, comment_id=6))
    assert (count(folding), count(folding, 6)) == (2, 1)


def test_unliking_takes_the_like_back_once() -> None:
    folding = Folding(COMMENT_LIKES_PROJECTION).apply(like(1), like(2), unlike(1), unlike(1), unlike(3))
    assert count(folding) == 1
    assert folding.row(COMMENT_LIKES.key(1, COMMENT)) is None


def test_the_count_knows_the_post_of_the_comment() -> None:
    (row,) = Folding(COMMENT_LIKES_PROJECTION, partition=3).apply(like(1)).rows(COMMENT_LIKE_COUNTS, COMMENT)
    assert (row.post_id, row.source, row.count) == (POST, 3, 1)
