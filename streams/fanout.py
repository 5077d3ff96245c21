"""How a post's fan-out is cut: one request for most authors, chunks that several workers share for big ones.

A chunk is a range of the followers' slots. Their number is decided when the post is published, from the followers
that were counted then, and kept with the post, so that a repeat asks for the very same chunks. Whatever the count
was, the chunks cover every slot: one that turns out larger than expected is read page by page.
"""

from collections.abc import Sequence

from photolog.ids import SLOTS
from photolog.log.record import StoredRecord
from projections.graph import FOLLOWER_SHARDS
from projections.posts import PostRow
from schemas.derived import DerivedEvent
from schemas.events import FanoutRequested, PriorityFanoutRequested

SLOTS_PER_SHARD = SLOTS // FOLLOWER_SHARDS


def chunks_for(followers: int, chunk_followers: int) -> int:
    """How many chunks a fan-out is cut into: a power of two, so that a chunk is whole shards or a part of one.

    Args:
        followers: how many the author has.
        chunk_followers: how many a chunk may have, as far as slots can tell them apart.
    """
    chunks = 1
    while chunks < SLOTS and chunks * chunk_followers < followers:
        chunks *= 2
    return chunks


def fanout_requests(published: Sequence[tuple[PostRow, StoredRecord]]) -> list[DerivedEvent]:
    """One request for each chunk of the followers of every published post; a post comes with what led to it."""
    requests = []
    for post, cause in published:
        if post.delivery is None or post.published_ms is None:
            continue
        kind = PriorityFanoutRequested if post.fanout_priority else FanoutRequested
        size = SLOTS // min(SLOTS, max(1, post.fanout_chunks))
        for first_slot in range(0, SLOTS, size):
            event = kind(
                post_id=post.post_id,
                author_id=post.owner_id,
                published_ms=post.published_ms,
                shard=first_slot // SLOTS_PER_SHARD,
                delivery=post.delivery,
                first_slot=first_slot,
                last_slot=min(first_slot + size, SLOTS) - 1,
            )
            identity = f"fanout/{post.post_id}/{event.first_slot}-{event.last_slot}"
            requests.append(DerivedEvent(event, identity, post.published_ms, cause))
    return requests
