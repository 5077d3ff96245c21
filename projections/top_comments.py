"""The comments that may stand on a post's card, as one cached field.

They are of several rows: the first in RANKED_COMMENTS, and the text of each. The version is the offset of the post's
COMMENT_COUNTS row, which is written with every event that changes any of them, and must be read before them: what is
read then is at least as new as its version says. There are more than a card shows, because some of their authors may
be hidden from the viewer.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from photolog.timestamps import rfc3339
from projections.card_json import TopCommentBody
from projections.cards import post_key
from projections.comments import PostCommentRow, RankedCommentRow
from projections.stores.port import CacheWrite
from projections.writes import Kept

TOP = "top"
TOP_COMMENTS_MAX = 3
TOP_CANDIDATES = 8


class CachedComment(NamedTuple):
    """A candidate: its author, and the JSON of its `TopCommentBody` without braces."""

    author_id: int
    body: bytes


_DECODER = msgspec.msgpack.Decoder(list[CachedComment])


def top_write(
    post_id: int,
    counts: Sequence[Kept],
    ranked: Sequence[RankedCommentRow],
    listed: Sequence[PostCommentRow | None],
) -> CacheWrite:
    """The cached form of a post's candidates.

    Args:
        post_id: the post.
        counts: its rows of COMMENT_COUNTS, read before the others.
        ranked: the first of RANKED_COMMENTS.
        listed: the row of each in COMMENTS_BY_POST; None where it has just gone.
    """
    version = max((kept.offset for kept in counts), default=-1)
    pairs = zip(ranked, listed, strict=True)
    found = [CachedComment(row.author_id, _body(place, row)) for place, row in pairs if row is not None]
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


def _body(place: RankedCommentRow, row: PostCommentRow) -> bytes:
    body = TopCommentBody(id=str(row.comment_id), text=row.text, likes=place.likes, created_at=rfc3339(row.created_ms))
    return msgspec.json.encode(body)[1:-1]
