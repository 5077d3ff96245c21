"""Likes: who likes which post, and how many do."""

from projections.tables import Row, Table


class LikeRow(Row, frozen=True, kw_only=True):
    """That an account likes a post; the row's presence is the membership."""

    actor_id: int
    post_id: int
    liked_ms: int


class LikeCountRow(Row, frozen=True, kw_only=True):
    """The likes of a post that one partition of the likes topic contributes; a reader sums over `source`."""

    post_id: int
    source: int
    count: int


LIKES = Table("likes", LikeRow, ("actor_id", "post_id"), aggregate=True)
LIKE_COUNTS = Table("like_counts", LikeCountRow, ("post_id",), ("source",))
