"""Comments under a post and replies under a comment: the lists, how many there are, and how they stand by likes."""

from collections.abc import Sequence

import msgspec

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

RANK_BITS = 6


class CommentRow(Row, frozen=True, kw_only=True):
    """The row that decides whether a comment is there. Its key begins with the post, whose log partition it shares:
    a deletion that names another post finds nothing.

    `likes` is the sum of `like_counts`, one for each partition of comment.likes in `like_sources`, each as of the
    offset in `like_versions`.
    """

    post_id: int
    comment_id: int
    author_id: int
    created_ms: int
    parent_id: int | None = None
    likes: int = 0
    like_sources: list[int] = msgspec.field(default_factory=list)
    like_versions: list[int] = msgspec.field(default_factory=list)
    like_counts: list[int] = msgspec.field(default_factory=list)


class PostCommentRow(Row, frozen=True, kw_only=True):
    """A comment that is no reply, under its post, with its text."""

    post_id: int
    comment_id: int
    author_id: int
    text: str | None
    created_ms: int


class ReplyRow(Row, frozen=True, kw_only=True):
    """A reply under its comment, with its text and, where it answers another reply, that one's author."""

    post_id: int
    parent_id: int
    comment_id: int
    author_id: int
    answered_id: int | None
    text: str | None
    created_ms: int


class RankedCommentRow(Row, frozen=True, kw_only=True):
    """A comment that is no reply in its place by the rank of its likes, among equals the newest first."""

    post_id: int
    rank: int
    comment_id: int


class CommentCountRow(Row, frozen=True, kw_only=True):
    """The comments of a post, replies included, by source partition. It is written with every event that changes what
    is shown of the post's comments, so that its offset is the version of all of it."""

    post_id: int
    source: int
    count: int


class ReplyCountRow(Row, frozen=True, kw_only=True):
    """The replies under a comment. All events under one post come from one partition, so it has no further parts."""

    post_id: int
    parent_id: int
    count: int


COMMENTS = Table("comments", CommentRow, ("post_id", "comment_id"), aggregate=True)
COMMENTS_BY_POST = Table("comments_by_post", PostCommentRow, ("post_id",), ("-comment_id",))
REPLIES = Table("replies", ReplyRow, ("post_id", "parent_id"), ("comment_id",))
RANKED_COMMENTS = Table("ranked_comments", RankedCommentRow, ("post_id",), ("-rank", "-comment_id"))
COMMENT_COUNTS = Table("comment_counts", CommentCountRow, ("post_id",), ("source",))
REPLY_COUNTS = Table("reply_counts", ReplyCountRow, ("post_id", "parent_id"))


def rank_of(likes: int) -> int:
    """Likes rounded down to six significant bits: exact up to 63, to within 3 % above.

    A comment moves when its rank does. Were it the number of likes, a viral comment would move with every batch, and
    leave so many tombstones behind its place that Cassandra refuses to read across them.
    """
    shift = max(0, likes.bit_length() - RANK_BITS)
    return likes >> shift << shift


class CommentsProjection:
    """Folds comments. Who may delete one is the command's question; the event says that it is gone.

    A comment is decided on alone, whatever became of the one that it hangs under: the job deletes the replies of a
    deleted comment by events of their own.
    """

    name = "comments"
    topics = (topics.COMMENTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[CommentRow]:
        """The comment under its post."""
        event = comment_event(recorded)
        return COMMENTS.key(event.post_id, event.comment_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The post's count, as far as the event's partition contributes to it, and the parent's."""
        event = comment_event(recorded)
        parent_id = None if isinstance(event, e.CommentLikesCounted) else event.parent_id
        counts: tuple[RowKey[Row], ...] = (COMMENT_COUNTS.key(event.post_id, recorded.partition),)
        return counts if parent_id is None else (*counts, REPLY_COUNTS.key(event.post_id, parent_id))

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Creating what is there, or deleting or counting what is not, changes nothing; nor does an older count."""
        before = rows.get(self.aggregate(recorded))
        match recorded.event:
            case e.CommentCreated() as event if before is None:
                return (*_listed(recorded, event), *_counted(rows, recorded, event.post_id, event.parent_id, 1))
            case e.CommentDeleted(parent_id=parent_id) if before is not None and before.parent_id == parent_id:
                return (*_unlisted(before), *_counted(rows, recorded, before.post_id, parent_id, -1))
            case e.CommentLikesCounted() as event if before is not None:
                return _liked(rows, recorded, before, event)
        return ()


CommentEvent = e.CommentCreated | e.CommentDeleted | e.CommentLikesCounted


def comment_event(recorded: Recorded) -> CommentEvent:
    """The event as one of those that this projection folds. Raises TypeError for any other."""
    if isinstance(recorded.event, CommentEvent):
        return recorded.event
    raise unfoldable(CommentsProjection.name, recorded.event)


def _listed(recorded: Recorded, event: e.CommentCreated) -> Sequence[Write]:
    post_id, comment_id, author_id = event.post_id, event.comment_id, event.author_id
    at_ms, parent_id, text = recorded.timestamp_ms, event.parent_id, event.text
    row = CommentRow(post_id=post_id, comment_id=comment_id, author_id=author_id, created_ms=at_ms, parent_id=parent_id)
    if parent_id is None:
        listed = PostCommentRow(
            post_id=post_id, comment_id=comment_id, author_id=author_id, text=text, created_ms=at_ms
        )
        return put(COMMENTS_BY_POST, listed), put(RANKED_COMMENTS, _place(row)), put(COMMENTS, row)
    reply = ReplyRow(
        post_id=post_id,
        parent_id=parent_id,
        comment_id=comment_id,
        author_id=author_id,
        answered_id=event.answered_id,
        text=text,
        created_ms=at_ms,
    )
    return put(REPLIES, reply), put(COMMENTS, row)


def _unlisted(row: CommentRow) -> Sequence[Write]:
    if row.parent_id is not None:
        return remove(REPLIES.key(row.post_id, row.parent_id, row.comment_id)), remove(COMMENTS.key_of(row))
    listed = COMMENTS_BY_POST.key(row.post_id, row.comment_id)
    return remove(listed), remove(RANKED_COMMENTS.key_of(_place(row))), remove(COMMENTS.key_of(row))


def _liked(rows: Rows, recorded: Recorded, row: CommentRow, event: e.CommentLikesCounted) -> Sequence[Write]:
    parts = {
        source: (version, count)
        for source, version, count in zip(row.like_sources, row.like_versions, row.like_counts, strict=True)
    }
    if event.source in parts and parts[event.source][0] >= event.version:
        return ()
    parts[event.source] = (event.version, event.count)
    sources = sorted(parts)
    after = msgspec.structs.replace(
        row,
        likes=sum(count for _, count in parts.values()),
        like_sources=sources,
        like_versions=[parts[source][0] for source in sources],
        like_counts=[parts[source][1] for source in sources],
    )
    moved: list[Write] = []
    if row.parent_id is None and _place(after) != _place(row):
        moved = [remove(RANKED_COMMENTS.key_of(_place(row))), put(RANKED_COMMENTS, _place(after))]
    return (*moved, *_counted(rows, recorded, row.post_id, None, 0), put(COMMENTS, after))


def _place(row: CommentRow) -> RankedCommentRow:
    return RankedCommentRow(post_id=row.post_id, rank=rank_of(row.likes), comment_id=row.comment_id)


def _counted(rows: Rows, recorded: Recorded, post_id: int, parent_id: int | None, change: int) -> Sequence[Write]:
    before = rows.get(COMMENT_COUNTS.key(post_id, recorded.partition))
    count = (before.count if before else 0) + change
    counted = put(COMMENT_COUNTS, CommentCountRow(post_id=post_id, source=recorded.partition, count=count))
    if parent_id is None:
        return (counted,)
    replies = rows.get(REPLY_COUNTS.key(post_id, parent_id))
    count = (replies.count if replies else 0) + change
    return counted, put(REPLY_COUNTS, ReplyCountRow(post_id=post_id, parent_id=parent_id, count=count))


COMMENTS_PROJECTION = CommentsProjection()
