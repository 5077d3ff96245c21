"""Keeping authors' recent posts up to date behind their rows."""

from projections.posts import POSTS, PostRow
from projections.stores.port import RecentChange, RecentPosts, RowStore, TimelineEntry
from projections.stores.recent_reading import fill_recent
from schemas import events as e
from streams.folding import Folded
from streams.step import Outputs


class RecentReaction:
    """After posts: take what a batch did to them into the cache of their authors' recent ones.

    It comes before a fan-out: a marker that arrives makes readers look there.

    Args:
        rows: published posts, to fill the cache of an author of whom nothing is kept.
        recent: the cache.
    """

    def __init__(self, rows: RowStore, recent: RecentPosts) -> None:
        self._rows = rows
        self._recent = recent

    async def react(self, folded: Folded) -> Outputs:
        """Record each post that the batch published or deleted, as it is after the batch; nothing is appended."""
        changes = recent_changes(folded)
        unknown = await self._recent.record(changes) if changes else []
        if unknown:
            await fill_recent(self._rows, self._recent, unknown)
        return {}


def recent_changes(folded: Folded) -> list[RecentChange]:
    """One change for each post that was published or deleted, at its last event's place."""
    changes: dict[int, RecentChange] = {}
    for recorded in folded.batch.events:
        match recorded.event:
            case e.PostPublished() | e.PostDeleted() as event:
                post = folded.row(POSTS.key(event.post_id))
                if post is not None and post.published_ms is not None:
                    changes[post.post_id] = _change(post, post.published_ms, recorded.place)
    return list(changes.values())


def _change(post: PostRow, published_ms: int, place: int) -> RecentChange:
    entry = TimelineEntry(published_ms, post.post_id, post.owner_id, post.delivery == "pull")
    return RecentChange(entry, place, post.status == "published")
