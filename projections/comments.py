"""Comments under a post, newest first, and how many there are."""

from projections.tables import Row, Table


class CommentRow(Row, frozen=True, kw_only=True):
    """A comment by its id, the row that decides whether it is there."""

    comment_id: int
    post_id: int
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


COMMENTS = Table("comments", CommentRow, ("comment_id",), aggregate=True)
COMMENTS_BY_POST = Table("comments_by_post", PostCommentRow, ("post_id",), ("-comment_id",))
COMMENT_COUNTS = Table("comment_counts", CommentCountRow, ("post_id",), ("source",))
