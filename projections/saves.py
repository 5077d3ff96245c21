"""Saves: which posts an account keeps, the newest first, and how many keep a post."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class SaveRow(Row, frozen=True, kw_only=True):
    """That an account saved a post; the row's presence is the membership."""

    actor_id: int
    post_id: int
    saved_ms: int


class SavedPostRow(Row, frozen=True, kw_only=True):
    """The same save in the account's list. `owner_id` is the post's author."""

    actor_id: int
    saved_ms: int
    post_id: int
    owner_id: int


class SaveCountRow(Row, frozen=True, kw_only=True):
    """The saves of a post, by source partition."""

    post_id: int
    source: int
    count: int


SAVES = Table("saves", SaveRow, ("actor_id",), ("post_id",), aggregate=True)
SAVED_POSTS = Table("saved_posts", SavedPostRow, ("actor_id",), ("-saved_ms", "-post_id"))
SAVE_COUNTS = Table("save_counts", SaveCountRow, ("post_id",), ("source",))


class SavesProjection:
    """Folds saves: the membership decides, the list and the count follow it."""

    name = "saves"
    topics = (topics.SAVES,)

    def aggregate(self, recorded: Recorded) -> RowKey[SaveRow]:
        """The membership of actor and post; the actor's key places it."""
        match recorded.event:
            case e.PostSaved() | e.PostUnsaved() as event:
                return SAVES.key(event.actor_id, event.post_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The count that the event's partition contributes."""
        return (SAVE_COUNTS.key(self.aggregate(recorded).values[1], recorded.partition),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Saving what is saved, or unsaving what is not, changes nothing."""
        key = self.aggregate(recorded)
        saved = rows.get(key)
        match recorded.event:
            case e.PostSaved() as event if saved is None:
                return _saved(rows, recorded, event)
            case e.PostUnsaved(actor_id=actor_id, post_id=post_id) if saved is not None:
                listed = SAVED_POSTS.key(actor_id, saved.saved_ms, post_id)
                return remove(listed), _counted(rows, recorded, post_id, -1), remove(key)
        return ()


def _saved(rows: Rows, recorded: Recorded, event: e.PostSaved) -> Sequence[Write]:
    actor_id, post_id, at_ms = event.actor_id, event.post_id, recorded.timestamp_ms
    return (
        put(SAVED_POSTS, SavedPostRow(actor_id=actor_id, saved_ms=at_ms, post_id=post_id, owner_id=event.owner_id)),
        _counted(rows, recorded, post_id, 1),
        put(SAVES, SaveRow(actor_id=actor_id, post_id=post_id, saved_ms=at_ms)),
    )


def _counted(rows: Rows, recorded: Recorded, post_id: int, change: int) -> Write:
    before = rows.get(SAVE_COUNTS.key(post_id, recorded.partition))
    count = (before.count if before else 0) + change
    return put(SAVE_COUNTS, SaveCountRow(post_id=post_id, source=recorded.partition, count=count))


SAVES_PROJECTION = SavesProjection()
