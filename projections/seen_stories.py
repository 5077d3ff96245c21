"""Seen stories: which stories a viewer saw, for as long as the stories are there."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics


class SeenRow(Row, frozen=True, kw_only=True):
    """That a viewer saw a story; the row's presence is the membership."""

    viewer_id: int
    story_id: int
    expires_ms: int


class SeenStoryRow(Row, frozen=True, kw_only=True):
    """The same, listed under the viewer by when the story was published."""

    viewer_id: int
    published_ms: int
    story_id: int
    expires_ms: int


SEEN = Table("seen", SeenRow, ("viewer_id", "story_id"), aggregate=True, expires="expires_ms")
SEEN_STORIES = Table("seen_stories", SeenStoryRow, ("viewer_id",), ("-published_ms", "-story_id"), expires="expires_ms")


class SeenStoriesProjection:
    """Folds views: the first one of a story by somebody is kept until the story ends."""

    name = "seen_stories"
    topics = (topics.STORY_VIEWS,)

    def aggregate(self, recorded: Recorded) -> RowKey[SeenRow]:
        """The membership of viewer and story; the viewer's key places it."""
        event = viewed(recorded)
        return SEEN.key(event.viewer_id, event.story_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """What was seen already stays as it is."""
        event = viewed(recorded)
        if rows.get(self.aggregate(recorded)) is not None:
            return ()
        listed = SeenStoryRow(
            viewer_id=event.viewer_id,
            published_ms=event.published_ms,
            story_id=event.story_id,
            expires_ms=event.expires_ms,
        )
        row = SeenRow(viewer_id=event.viewer_id, story_id=event.story_id, expires_ms=event.expires_ms)
        return put(SEEN_STORIES, listed), put(SEEN, row)


def viewed(recorded: Recorded) -> e.StoryViewed:
    """The view that a record of the topic holds. Raises TypeError for any other event."""
    match recorded.event:
        case e.StoryViewed() as event:
            return event
        case other:
            raise unfoldable(SeenStoriesProjection.name, other)


SEEN_STORIES_PROJECTION = SeenStoriesProjection()
