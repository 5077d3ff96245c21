"""Likes: who likes which post, the newest first, and how many do."""

from collections.abc import Sequence

from photolog.ids import SLOTS, slot_of
from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

LIKER_SHARDS = 16


class LikeRow(Row, frozen=True, kw_only=True):
    """That an account likes a post; the row's presence is the membership."""

    actor_id: int
    post_id: int
    liked_ms: int


class LikerRow(Row, frozen=True, kw_only=True):
    """The same like, listed under the post; shards keep a hot post from being one partition."""

    post_id: int
    shard: int
    liked_ms: int
    actor_id: int


class LikeCountRow(Row, frozen=True, kw_only=True):
    """The likes of a post that one partition of the likes topic contributes; a reader sums over `source`."""

    post_id: int
    source: int
    count: int


LIKES = Table("likes", LikeRow, ("actor_id",), ("post_id",), aggregate=True)
LIKERS = Table("likers", LikerRow, ("post_id", "shard"), ("-liked_ms", "-actor_id"))
LIKE_COUNTS = Table("like_counts", LikeCountRow, ("post_id",), ("source",))


def liker_shard(actor_id: int) -> int:
    """The shard of an account in any post's list of likers."""
    return slot_of(actor_id) * LIKER_SHARDS // SLOTS


class LikesProjection:
    """Folds likes: the membership decides, the list and the count follow it, and the count is absolute."""

    name = "likes"
    topics = (topics.LIKES,)

    def aggregate(self, recorded: Recorded) -> RowKey[LikeRow]:
        """The membership of actor and post; the actor's key places it."""
        match recorded.event:
            case e.PostLiked() | e.PostUnliked() as event:
                return LIKES.key(event.actor_id, event.post_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The count that the event's partition contributes."""
        return (LIKE_COUNTS.key(self.aggregate(recorded).values[1], recorded.partition),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Liking what is liked, or unliking what is not, changes nothing."""
        key = self.aggregate(recorded)
        liked = rows.get(key)
        match recorded.event:
            case e.PostLiked(actor_id=actor_id, post_id=post_id) if liked is None:
                row = LikeRow(actor_id=actor_id, post_id=post_id, liked_ms=recorded.timestamp_ms)
                return put(LIKERS, _listed(row)), _counted(rows, recorded, post_id, 1), put(LIKES, row)
            case e.PostUnliked(post_id=post_id) if liked is not None:
                listed = LIKERS.key_of(_listed(liked))
                return remove(listed), _counted(rows, recorded, post_id, -1), remove(key)
        return ()


def _listed(like: LikeRow) -> LikerRow:
    shard = liker_shard(like.actor_id)
    return LikerRow(post_id=like.post_id, shard=shard, liked_ms=like.liked_ms, actor_id=like.actor_id)


def _counted(rows: Rows, recorded: Recorded, post_id: int, change: int) -> Write:
    before = rows.get(LIKE_COUNTS.key(post_id, recorded.partition))
    count = (before.count if before else 0) + change
    return put(LIKE_COUNTS, LikeCountRow(post_id=post_id, source=recorded.partition, count=count))


LIKES_PROJECTION = LikesProjection()
