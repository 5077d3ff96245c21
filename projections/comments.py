"""Comments under a post, newest first, and how many there are."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class CommentRow(Row, frozen=True, kw_only=True):
    """The row that decides whether a comment is there. Its key begins with the post, whose log partition it shares:
    a deletion that names another post finds nothing."""

    post_id: int
    comment_id: int
    author_id: int
    created_ms: int


class PostCommentRow(Row, frozen=True, kw_only=True):
    """The same comment under its post, with its text."""

    post_id: int
    comment_id: int
    author_id: int
    text: str | None
    created_ms: int


class CommentCountRow(Row, frozen=True, kw_only=True):
    """The comments of a post, by source partition."""

    post_id: int
    source: int
    count: int


COMMENTS = Table("comments", CommentRow, ("post_id", "comment_id"), aggregate=True)
COMMENTS_BY_POST = Table("comments_by_post", PostCommentRow, ("post_id",), ("-comment_id",))
COMMENT_COUNTS = Table("comment_counts", CommentCountRow, ("post_id",), ("source",))


class CommentsProjection:
    """Folds comments. Who may delete one is the command's question; the event says that it is gone."""

    name = "comments"
    topics = (topics.COMMENTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[CommentRow]:
        """The comment under its post."""
        match recorded.event:
            case e.CommentCreated() | e.CommentDeleted() as event:
                return COMMENTS.key(event.post_id, event.comment_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The count that the event's partition contributes."""
        post_id, _ = self.aggregate(recorded).values
        return (COMMENT_COUNTS.key(post_id, recorded.partition),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Creating what is there, or deleting what is not, changes nothing."""
        key = self.aggregate(recorded)
        there = rows.get(key) is not None
        match recorded.event:
            case e.CommentCreated() as event if not there:
                return _created(rows, recorded, event)
            case e.CommentDeleted(post_id=post_id, comment_id=comment_id) if there:
                listed = COMMENTS_BY_POST.key(post_id, comment_id)
                return remove(listed), _counted(rows, recorded, post_id, -1), remove(key)
        return ()


def _created(rows: Rows, recorded: Recorded, event: e.CommentCreated) -> Sequence[Write]:
    decides = CommentRow(
        comment_id=event.comment_id,
        post_id=event.post_id,
        author_id=event.author_id,
        created_ms=recorded.timestamp_ms,
    )
    listed = PostCommentRow(
        post_id=event.post_id,
        comment_id=event.comment_id,
        author_id=event.author_id,
        text=event.text,
        created_ms=recorded.timestamp_ms,
    )
    return put(COMMENTS_BY_POST, listed), _counted(rows, recorded, event.post_id, 1), put(COMMENTS, decides)


def _counted(rows: Rows, recorded: Recorded, post_id: int, change: int) -> Write:
    before = rows.get(COMMENT_COUNTS.key(post_id, recorded.partition))
    count = (before.count if before else 0) + change
    return put(COMMENT_COUNTS, CommentCountRow(post_id=post_id, source=recorded.partition, count=count))


COMMENTS_PROJECTION = CommentsProjection()
