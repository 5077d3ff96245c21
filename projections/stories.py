"""Stories: from creation to publication and the end of their day, by story, by owner and by medium."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

StoryStatus = Literal["processing", "published", "rejected", "deleted"]


class StoryRow(Row, frozen=True, kw_only=True):
    """A story, whole, for ever: its owner's archive shows it. `media` is the JSON of `schemas.events.MediaItem` once
    published. `rule` is the one for which it was rejected or, where it is deleted, taken down by an operator."""

    story_id: int
    owner_id: int
    status: StoryStatus
    media_id: int
    audience: e.StoryAudience
    alt_text: str | None
    media: bytes | None
    created_ms: int
    published_ms: int | None
    expires_ms: int | None
    rejection: str | None
    rule: e.HouseRule | None = None

    @property
    def is_taken_down(self) -> bool:
        """Whether an operator took it down."""
        return self.status == "deleted" and self.rule is not None

    def is_live(self, now_ms: int) -> bool:
        """Whether it is shown at a time, Unix ms."""
        return self.status == "published" and self.expires_ms is not None and now_ms < self.expires_ms


class OwnedStoryRow(Row, frozen=True, kw_only=True):
    """A story in its owner's archive, whatever its status (but deleted), newest id first."""

    owner_id: int
    story_id: int
    status: StoryStatus


class LiveStoryRow(Row, frozen=True, kw_only=True):
    """A story that is shown now, under its owner, the first to end first. `media` as in `StoryRow`."""

    owner_id: int
    expires_ms: int
    story_id: int
    published_ms: int
    audience: e.StoryAudience
    alt_text: str | None
    media: bytes


class MediaStoryRow(Row, frozen=True, kw_only=True):
    """Which stories show a medium, so that its completion finds them."""

    media_id: int
    story_id: int


STORIES = Table("stories", StoryRow, ("story_id",), aggregate=True)
STORIES_BY_OWNER = Table("stories_by_owner", OwnedStoryRow, ("owner_id",), ("-story_id",))
LIVE_STORIES = Table("user_stories", LiveStoryRow, ("owner_id",), ("expires_ms", "story_id"), expires="expires_ms")
MEDIA_STORIES = Table("media_stories", MediaStoryRow, ("media_id",), ("story_id",))


class StoriesProjection:
    """Folds the life of a story: processing, then published or rejected, at last deleted. That its day is over is no
    event: the row among the live ones ends by itself."""

    name = "stories"
    topics = (topics.STORIES,)

    def aggregate(self, recorded: Recorded) -> RowKey[StoryRow]:
        """The story."""
        return STORIES.key(story_event(recorded).story_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Only a processing story is published or rejected; a deleted one stays as it is; another's is not touched."""
        event = story_event(recorded)
        before = rows.get(STORIES.key(event.story_id))
        if before is None:
            return _created(event, recorded.timestamp_ms) if isinstance(event, e.StoryCreated) else ()
        if before.owner_id != event.owner_id:
            return ()
        match event:
            case e.StoryPublished() if before.status == "processing":
                return _published(before, event)
            case e.StoryRejected(reason=reason, rule=rule) if before.status == "processing":
                return _with_status(before, "rejected", rejection=reason, rule=rule)
            case e.StoryDeleted(taken_down=rule) if before.status != "deleted":
                return _deleted(before, rule)
        return ()


StoryEvent = e.StoryCreated | e.StoryPublished | e.StoryRejected | e.StoryDeleted


def story_event(recorded: Recorded) -> StoryEvent:
    """The event that a record of the topic holds. Raises TypeError for any other."""
    if isinstance(recorded.event, StoryEvent):
        return recorded.event
    raise unfoldable(StoriesProjection.name, recorded.event)


def _created(event: e.StoryCreated, at_ms: int) -> Sequence[Write]:
    story = StoryRow(
        story_id=event.story_id,
        owner_id=event.owner_id,
        status="processing",
        media_id=event.media_id,
        audience=event.audience,
        alt_text=event.alt_text,
        media=None,
        created_ms=at_ms,
        published_ms=None,
        expires_ms=None,
        rejection=None,
    )
    held = MediaStoryRow(media_id=event.media_id, story_id=event.story_id)
    return put(MEDIA_STORIES, held), _owned(story), put(STORIES, story)


def _published(story: StoryRow, event: e.StoryPublished) -> Sequence[Write]:
    media = msgspec.json.encode(event.media)
    live = LiveStoryRow(
        owner_id=story.owner_id,
        expires_ms=event.expires_ms,
        story_id=story.story_id,
        published_ms=event.published_ms,
        audience=story.audience,
        alt_text=story.alt_text,
        media=media,
    )
    when = {"published_ms": event.published_ms, "expires_ms": event.expires_ms}
    return put(LIVE_STORIES, live), *_with_status(story, "published", media=media, **when)


def _deleted(story: StoryRow, rule: e.HouseRule | None) -> Sequence[Write]:
    """What remains says that the story was there, which files to purge and why an operator took it down, if one did,
    and nothing that its owner wrote."""
    gone: list[Write] = [
        remove(MEDIA_STORIES.key(story.media_id, story.story_id)),
        remove(STORIES_BY_OWNER.key(story.owner_id, story.story_id)),
    ]
    if story.status == "published":
        gone.append(remove(LIVE_STORIES.key(story.owner_id, story.expires_ms, story.story_id)))
    return *gone, put(STORIES, msgspec.structs.replace(story, status="deleted", rule=rule, alt_text=None))


def _with_status(story: StoryRow, status: StoryStatus, **changes: object) -> Sequence[Write]:
    after = msgspec.structs.replace(story, status=status, **changes)
    return _owned(after), put(STORIES, after)


def _owned(story: StoryRow) -> Write:
    listed = OwnedStoryRow(owner_id=story.owner_id, story_id=story.story_id, status=story.status)
    return put(STORIES_BY_OWNER, listed)


STORIES_PROJECTION = StoriesProjection()
