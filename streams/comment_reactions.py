"""What follows from comments and their likes: counts travel to the post's key, replies go with what they hang under,
and the comments on a card are written through.

Each reaction decides from the rows as they are after the batch, so that it may be asked again at any later time.
"""

from functools import partial

from projections.comment_likes import COMMENT_LIKE_COUNTS, CommentLikeCountRow, comment_like_event
from projections.comments import COMMENTS, REPLIES, CommentRow, ReplyRow, comment_event
from projections.fold import Recorded
from projections.stores.port import RowStore, VersionedCache
from projections.stores.top_comments import read_top_comments
from schemas import events as e
from schemas.derived import DerivedEvent
from streams.bounded import bounded_map
from streams.emission import Emitter
from streams.folding import Folded
from streams.step import Outputs

_CONCURRENCY = 32
_REPLIES_AT_ONCE = 500


class CommentLikesReaction:
    """After likes of comments: say under the post's key what this partition counts now of each comment.

    However many likes of a comment a batch holds, its count is told once.
    """

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter

    async def react(self, folded: Folded) -> Outputs:
        """Append the counts. One that was told before is told under the same id."""
        last = {comment_like_event(recorded).comment_id: recorded for recorded in folded.batch.events}
        counted = []
        for comment_id, recorded in last.items():
            key = COMMENT_LIKE_COUNTS.key(comment_id, folded.batch.source.partition)
            row = folded.row(key)
            if row is not None:
                event = _counted(row, version=folded.state[key].offset)
                identity = f"comment-likes/{comment_id}/{event.source}/{event.version}"
                counted.append(DerivedEvent(event, identity, recorded.timestamp_ms, folded.cause(recorded)))
        return await self._emitter.emit(counted)


def _counted(row: CommentLikeCountRow, version: int) -> e.CommentLikesCounted:
    return e.CommentLikesCounted(
        comment_id=row.comment_id, post_id=row.post_id, source=row.source, version=version, count=row.count
    )


class RepliesReaction:
    """After comments: delete the replies of what was deleted.

    A deletion reads the replies after the comment is gone, and a reply looks for its comment after it is there itself:
    one that was written while its comment was being deleted is found by one of the two.

    Args:
        rows: comments and replies.
        emitter: takes the deletions.
    """

    def __init__(self, rows: RowStore, emitter: Emitter) -> None:
        self._rows = rows
        self._emitter = emitter

    async def react(self, folded: Folded) -> Outputs:
        """Do it; answers where the deletions landed."""
        outputs = await self._emitter.emit(await self._orphans(folded))
        for recorded in folded.batch.events:
            event = recorded.event
            if isinstance(event, e.CommentDeleted) and event.parent_id is None:
                outputs = {**outputs, **await self._delete_replies(folded, recorded, event)}
        return outputs

    async def _delete_replies(self, folded: Folded, recorded: Recorded, event: e.CommentDeleted) -> Outputs:
        """Those of a comment that is gone, a stretch at a time."""
        outputs: Outputs = {}
        place = (event.post_id, event.comment_id)
        if folded.row(COMMENTS.key(*place)) is not None:
            return outputs
        after: tuple[int] | None = None
        while replies := await self._rows.scan(REPLIES, place, after=after, limit=_REPLIES_AT_ONCE):
            gone = [_deletion(reply, event.deleted_by, recorded, folded) for reply in replies]
            outputs = {**outputs, **await self._emitter.emit(gone)}
            after = (replies[-1].comment_id,)
        return outputs

    async def _orphans(self, folded: Folded) -> list[DerivedEvent]:
        """The deletions of replies in the batch whose comment is not there."""
        replies: list[tuple[Recorded, CommentRow]] = []
        for recorded in folded.batch.events:
            event = recorded.event
            if isinstance(event, e.CommentCreated) and event.parent_id is not None:
                reply = folded.row(COMMENTS.key(event.post_id, event.comment_id))
                if reply is not None and reply.parent_id is not None:
                    replies.append((recorded, reply))
        parents = await self._rows.get_many([COMMENTS.key(row.post_id, row.parent_id) for _, row in replies])
        return [
            _deletion(row, row.author_id, recorded, folded)
            for (recorded, row), parent in zip(replies, parents, strict=True)
            if parent is None
        ]


class TopCommentsReaction:
    """After comments: bring the comments on the cards of their posts up to date.

    Args:
        rows: comments in their order.
        cache: the posts' cards.
    """

    def __init__(self, rows: RowStore, cache: VersionedCache) -> None:
        self._rows = rows
        self._cache = cache

    async def react(self, folded: Folded) -> Outputs:
        """Do it; nothing is appended."""
        post_ids = {comment_event(recorded).post_id for recorded in folded.batch.events}
        top_comments = partial(read_top_comments, self._rows)
        await self._cache.merge(await bounded_map(top_comments, sorted(post_ids), _CONCURRENCY))
        return {}


def _deletion(row: ReplyRow | CommentRow, deleted_by: int, recorded: Recorded, folded: Folded) -> DerivedEvent:
    event = e.CommentDeleted(
        comment_id=row.comment_id, post_id=row.post_id, deleted_by=deleted_by, parent_id=row.parent_id
    )
    return DerivedEvent(event, f"reply-gone/{row.comment_id}", recorded.timestamp_ms, folded.cause(recorded))
