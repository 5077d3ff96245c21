"""Stories: what is there for a day, who of one's followers is close, what is kept of it in highlights."""

from typing import Annotated, Literal

from schemas.events.base import Event, HouseRule, Personal, Snowflake
from schemas.events.posts import MediaItem

StoryAudience = Literal["everyone", "close_friends"]
"""Whom of those who may see an account a story is for."""


class StoryCreated(Event, frozen=True, kw_only=True):
    """Somebody wants to show a photograph or a short clip for a day. It is there once its media is."""

    type = "story.created"
    capability = "stories"
    story_id: Snowflake
    owner_id: Snowflake
    media_id: Snowflake
    audience: StoryAudience
    alt_text: Annotated[str | None, Personal("owner_id")]


class StoryPublished(Event, frozen=True, kw_only=True):
    """The media is there and allowed: the story is shown from `published_ms` until `expires_ms`."""

    type = "story.published"
    capability = "stories"
    story_id: Snowflake
    owner_id: Snowflake
    published_ms: int
    expires_ms: int
    media: MediaItem


class StoryRejected(Event, frozen=True, kw_only=True):
    """The media could not be decoded or is not allowed, so the story is never shown."""

    type = "story.rejected"
    capability = "stories"
    story_id: Snowflake
    owner_id: Snowflake
    media_id: Snowflake
    reason: str
    rule: HouseRule | None = None


class StoryDeleted(Event, frozen=True, kw_only=True):
    """A story is gone, from its owner's archive too: by its owner, or by an operator, who names the rule it broke."""

    type = "story.deleted"
    capability = "stories"
    story_id: Snowflake
    owner_id: Snowflake
    taken_down: HouseRule | None = None
    operator: str = ""


class HighlightSaved(Event, frozen=True, kw_only=True):
    """A highlight as it is to be from now on: made, or changed as a whole."""

    type = "highlight.saved"
    capability = "stories"
    highlight_id: Snowflake
    owner_id: Snowflake
    title: Annotated[str | None, Personal("owner_id")]
    story_ids: list[Snowflake]


class HighlightDeleted(Event, frozen=True, kw_only=True):
    type = "highlight.deleted"
    capability = "stories"
    highlight_id: Snowflake
    owner_id: Snowflake


class CloseFriendAdded(Event, frozen=True, kw_only=True):
    """`owner_id` shows stories for close friends to `friend_id`, who does not learn of it."""

    type = "close_friend.added"
    capability = "stories"
    owner_id: Snowflake
    friend_id: Snowflake


class CloseFriendRemoved(Event, frozen=True, kw_only=True):
    type = "close_friend.removed"
    capability = "stories"
    owner_id: Snowflake
    friend_id: Snowflake


class StoryReplied(Event, frozen=True, kw_only=True):
    """Words to the owner of a story, who alone reads them."""

    type = "story.replied"
    capability = "stories"
    reply_id: Snowflake
    story_id: Snowflake
    owner_id: Snowflake
    sender_id: Snowflake
    text: Annotated[str | None, Personal("sender_id")]


class StoryReplyDeleted(Event, frozen=True, kw_only=True):
    """A reply is gone for both: taken back by its sender, or removed by the story's owner."""

    type = "story.reply_deleted"
    capability = "stories"
    reply_id: Snowflake
    story_id: Snowflake
    sender_id: Snowflake
    deleted_by: Snowflake | None = None


class StoryReacted(Event, frozen=True, kw_only=True):
    """One emoji of a viewer's to a story; the next one takes its place."""

    type = "story.reacted"
    capability = "stories"
    story_id: Snowflake
    owner_id: Snowflake
    sender_id: Snowflake
    reaction: str


class StoryReactionWithdrawn(Event, frozen=True, kw_only=True):
    type = "story.reaction_withdrawn"
    capability = "stories"
    story_id: Snowflake
    sender_id: Snowflake


class StoryViewed(Event, frozen=True, kw_only=True):
    """Somebody saw a story that was published at `published_ms` and is there until `expires_ms`."""

    type = "story.viewed"
    capability = "stories"
    viewer_id: Snowflake
    story_id: Snowflake
    owner_id: Snowflake
    at_ms: int
    published_ms: int
    expires_ms: int


class StoryViewCounted(Event, frozen=True, kw_only=True):
    """Computed: the first view of a story by one viewer, and how many viewers it had with that.

    After a crash both may be told again, with another viewer as the last one: a count is true once nothing greater
    was told of its story.
    """

    type = "story.view_counted"
    capability = "stories"
    story_id: Snowflake
    owner_id: Snowflake
    viewer_id: Snowflake
    viewed_ms: int
    views: int
    expires_ms: int
