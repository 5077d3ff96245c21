"""Likes of comments: who likes which, and how many of them each partition holds.

Likes are keyed by actor, comments by post. The job that folds this tells the comments' topic what it counted, and
projections/comments.py sums it up.
"""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class CommentLikeRow(Row, frozen=True, kw_only=True):
    """That an account likes a comment; the row's presence is the membership."""

    actor_id: int
    comment_id: int
    post_id: int
    liked_ms: int


class CommentLikeCountRow(Row, frozen=True, kw_only=True):
    """The likes of a comment, by source partition."""

    comment_id: int
    source: int
    post_id: int
    count: int


COMMENT_LIKES = Table("comment_likes", CommentLikeRow, ("actor_id",), ("comment_id",), aggregate=True)
COMMENT_LIKE_COUNTS = Table("comment_like_counts", CommentLikeCountRow, ("comment_id",), ("source",))


class CommentLikesProjection:
    """Folds likes of comments: the membership decides, the count follows it and is absolute."""

    name = "comment_likes"
    topics = (topics.COMMENT_LIKES,)

    def aggregate(self, recorded: Recorded) -> RowKey[CommentLikeRow]:
        """The membership of actor and comment; the actor's key places it."""
        event = comment_like_event(recorded)
        return COMMENT_LIKES.key(event.actor_id, event.comment_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The count that the event's partition contributes."""
        return (COMMENT_LIKE_COUNTS.key(comment_like_event(recorded).comment_id, recorded.partition),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Liking what is liked, or unliking what is not, changes nothing."""
        key = self.aggregate(recorded)
        liked = rows.get(key)
        match recorded.event:
            case e.CommentLiked(actor_id=actor_id, comment_id=comment_id, post_id=post_id) if liked is None:
                row = CommentLikeRow(
                    actor_id=actor_id, comment_id=comment_id, post_id=post_id, liked_ms=recorded.timestamp_ms
                )
                return _counted(rows, recorded, row, 1), put(COMMENT_LIKES, row)
            case e.CommentUnliked() if liked is not None:
                return _counted(rows, recorded, liked, -1), remove(key)
        return ()


def comment_like_event(recorded: Recorded) -> e.CommentLiked | e.CommentUnliked:
    """The event as one of those that this projection folds. Raises TypeError for any other."""
    if isinstance(recorded.event, e.CommentLiked | e.CommentUnliked):
        return recorded.event
    raise unfoldable(CommentLikesProjection.name, recorded.event)


def _counted(rows: Rows, recorded: Recorded, like: CommentLikeRow, change: int) -> Write:
    before = rows.get(COMMENT_LIKE_COUNTS.key(like.comment_id, recorded.partition))
    count = (before.count if before else 0) + change
    counted = CommentLikeCountRow(
        comment_id=like.comment_id, source=recorded.partition, post_id=like.post_id, count=count
    )
    return put(COMMENT_LIKE_COUNTS, counted)


COMMENT_LIKES_PROJECTION = CommentLikesProjection()
