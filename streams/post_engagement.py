"""What is told of likes, comments, shares and saves for windows of time: one flat fact for each that has an effect."""

from collections.abc import Collection
from typing import NamedTuple

from projections.fold import Recorded
from projections.posts import POSTS
from projections.stores.port import RowStore
from schemas import events as e
from schemas.derived import DerivedEvent
from schemas.events.windows import Engagement
from streams.emission import Emitter
from streams.folding import Folded
from streams.step import Outputs


class Deed(NamedTuple):
    """What somebody did about a post, and the event that says so."""

    recorded: Recorded
    action: Engagement
    actor_id: int
    post_id: int


class EngagementAnnouncement:
    """Before the rows of likes, comments, shares and saves: say what was done about whose post.

    A like of what is liked, or of a post that is unknown or gone, says nothing.

    Args:
        rows: posts, which tell their authors.
        emitter: takes what is said.
    """

    def __init__(self, rows: RowStore, emitter: Emitter) -> None:
        self._rows = rows
        self._emitter = emitter

    async def announce(self, folded: Folded, effective: Collection[int]) -> Outputs:
        """Append one for each event with an effect; the posts are read once for all of them."""
        deeds = [deed for deed in map(deed_of, folded.batch.events) if deed and deed.recorded.offset in effective]
        keys = [POSTS.key(post_id) for post_id in sorted({deed.post_id for deed in deeds})]
        posts = await self._rows.get_many(keys) if keys else []
        owners = {post.post_id: post.owner_id for post in posts if post is not None and post.status != "deleted"}
        return await self._emitter.emit(
            [_engaged(deed, owners[deed[3]], folded) for deed in deeds if deed[3] in owners]
        )


def deed_of(recorded: Recorded) -> Deed | None:
    """What an event says that somebody did about a post; None where it is nothing that is told."""
    match recorded.event:
        case e.PostLiked(actor_id=actor_id, post_id=post_id):
            return Deed(recorded, "like", actor_id, post_id)
        case e.PostUnliked(actor_id=actor_id, post_id=post_id):
            return Deed(recorded, "unlike", actor_id, post_id)
        case e.CommentCreated(author_id=actor_id, post_id=post_id):
            return Deed(recorded, "comment", actor_id, post_id)
        case e.PostShared(actor_id=actor_id, post_id=post_id):
            return Deed(recorded, "share", actor_id, post_id)
        case e.PostSaved(actor_id=actor_id, post_id=post_id):
            return Deed(recorded, "save", actor_id, post_id)
        case e.PostUnsaved(actor_id=actor_id, post_id=post_id):
            return Deed(recorded, "unsave", actor_id, post_id)
    return None


def _engaged(deed: Deed, owner_id: int, folded: Folded) -> DerivedEvent:
    recorded = deed.recorded
    event = e.PostEngaged(
        actor_id=deed.actor_id,
        post_id=deed.post_id,
        owner_id=owner_id,
        action=deed.action,
        at_ms=recorded.timestamp_ms,
    )
    return DerivedEvent(event, f"engaged/{recorded.event_id}", recorded.timestamp_ms, folded.cause(recorded))
