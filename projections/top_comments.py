"""The comments that may stand on a post's card, as one cached field.

They are of several rows: the first in RANKED_COMMENTS, and the likes and the text of each. The version is the offset
of the post's COMMENT_COUNTS row, which is written with every event that changes any of them, and must be read before
them: what is read then is at least as new as its version says. There are more than a card shows, because some of
their authors may be hidden from the viewer, and because ranks are coarser than likes. Among the candidates the order
is exact.
"""

from collections.abc import Sequence

import msgspec

from photolog.timestamps import rfc3339
from projections.card_json import TopCommentBody
from projections.cards import TOP, post_key
from projections.comments import CommentRow, PostCommentRow
from projections.stores.port import CacheWrite
from projections.writes import Kept

TOP_COMMENTS_MAX = 3
TOP_CANDIDATES = 8


class CachedComment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A candidate: its author, and the JSON of its `TopCommentBody` without braces."""

    author_id: int
    body: bytes


_DECODER = msgspec.msgpack.Decoder(list[CachedComment])


def top_write(
    post_id: int,
    counts: Sequence[Kept],
    decided: Sequence[CommentRow | None],
    listed: Sequence[PostCommentRow | None],
) -> CacheWrite:
    """The cached form of a post's candidates.

    Args:
        post_id: the post.
        counts: its rows of COMMENT_COUNTS, read before the others.
        decided: the row in COMMENTS of each of the first in RANKED_COMMENTS; None where it has just gone.
        listed: likewise in COMMENTS_BY_POST.
    """
    version = max((kept.offset for kept in counts), default=-1)
    there = [(one, row) for one, row in zip(decided, listed, strict=True) if one is not None and row is not None]
    there.sort(key=lambda pair: (pair[0].likes, pair[0].comment_id), reverse=True)
    found = [CachedComment(row.author_id, _body(one.likes, row)) for one, row in there]
    return CacheWrite(post_key(post_id), TOP, version, msgspec.msgpack.encode(found) if found else None)


def parse_top(value: bytes | None) -> list[CachedComment]:
    """Open the cached form."""
    return [] if value is None else _DECODER.decode(value)


def top_comment(comment: CachedComment, author: bytes) -> bytes:
    """The JSON of a `TopComment`.

    Args:
        comment: the comment.
        author: its author's card.
    """
    return b'{%b,"author":%b}' % (comment.body, author)


def _body(likes: int, row: PostCommentRow) -> bytes:
    body = TopCommentBody(id=str(row.comment_id), text=row.text, likes=likes, created_at=rfc3339(row.created_ms))
    return msgspec.json.encode(body)[1:-1]
