"""Story views: how many saw a story, and who, the last first. Both stay for a day after the story itself."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics

KEPT_MS = 86_400_000
"""How long a story's owner can look up who saw it once the story has ended: 48 hours after it was published."""


class StoryViewRow(Row, frozen=True, kw_only=True):
    """How many saw a story: the most that was ever told."""

    story_id: int
    views: int
    expires_ms: int


class StoryViewMemberRow(Row, frozen=True, kw_only=True):
    """That somebody is listed among a story's viewers; the row's presence is the membership."""

    story_id: int
    viewer_id: int
    expires_ms: int


class StoryViewerRow(Row, frozen=True, kw_only=True):
    """A viewer of a story, in the story's list."""

    story_id: int
    viewed_ms: int
    viewer_id: int
    expires_ms: int


STORY_VIEWS = Table("story_views", StoryViewRow, ("story_id",), expires="expires_ms")
STORY_VIEW_MEMBERS = Table(
    "story_view_members", StoryViewMemberRow, ("story_id", "viewer_id"), aggregate=True, expires="expires_ms"
)
STORY_VIEWERS = Table(
    "story_viewers", StoryViewerRow, ("story_id",), ("-viewed_ms", "-viewer_id"), expires="expires_ms"
)


class StoryViewsProjection:
    """Folds what is computed of a story's views. After a crash a view may be told again, with another time and a
    smaller count: who is listed stays where they are, and the count never goes back."""

    name = "story_views"
    topics = (topics.STORY_VIEW_COUNTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[StoryViewMemberRow]:
        """The membership of viewer and story; the story's key places it."""
        event = counted(recorded)
        return STORY_VIEW_MEMBERS.key(event.story_id, event.viewer_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The story's count."""
        return (STORY_VIEWS.key(counted(recorded).story_id),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """List the viewer once, and raise the count."""
        event = counted(recorded)
        expires_ms = event.expires_ms + KEPT_MS
        writes: list[Write] = []
        before = rows.get(STORY_VIEWS.key(event.story_id))
        if before is None or before.views < event.views:
            writes.append(
                put(STORY_VIEWS, StoryViewRow(story_id=event.story_id, views=event.views, expires_ms=expires_ms))
            )
        if rows.get(self.aggregate(recorded)) is None:
            listed = StoryViewerRow(
                story_id=event.story_id, viewed_ms=event.viewed_ms, viewer_id=event.viewer_id, expires_ms=expires_ms
            )
            member = StoryViewMemberRow(story_id=event.story_id, viewer_id=event.viewer_id, expires_ms=expires_ms)
            writes += put(STORY_VIEWERS, listed), put(STORY_VIEW_MEMBERS, member)
        return writes


def counted(recorded: Recorded) -> e.StoryViewCounted:
    """The count that a record of the topic holds. Raises TypeError for any other event."""
    match recorded.event:
        case e.StoryViewCounted() as event:
            return event
        case other:
            raise unfoldable(StoryViewsProjection.name, other)


STORY_VIEWS_PROJECTION = StoryViewsProjection()
