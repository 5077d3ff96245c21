"""Reading the candidates for a card's comments from rows: the jobs write them through, readers that miss them back."""

import asyncio

from projections.comments import COMMENT_COUNTS, COMMENTS, COMMENTS_BY_POST, RANKED_COMMENTS
from projections.stores.port import CacheWrite, RowStore
from projections.top_comments import TOP_CANDIDATES, top_write

_PARTS_MAX = 4_096  # partitions of a topic, at most


async def read_top_comments(rows: RowStore, post_id: int) -> CacheWrite:
    """The cached form of a post's candidates, as the rows have it now.

    Three dependent round trips. The count comes first, because its offset is the version of what is read after it.
    """
    counts = await rows.scan_kept(COMMENT_COUNTS, (post_id,), limit=_PARTS_MAX)
    if not counts:
        return top_write(post_id, (), (), ())
    ranked = await rows.scan(RANKED_COMMENTS, (post_id,), limit=TOP_CANDIDATES)
    decided, listed = await asyncio.gather(
        rows.get_many([COMMENTS.key(post_id, place.comment_id) for place in ranked]),
        rows.get_many([COMMENTS_BY_POST.key(post_id, place.comment_id) for place in ranked]),
    )
    return top_write(post_id, counts, decided, listed)
