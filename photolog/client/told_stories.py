"""What the gateway answers about stories and trends, as a client reads it."""

from datetime import datetime
from typing import Literal

from photolog.client.views import Account, Photograph, View

StoryAudience = Literal["everyone", "close_friends"]


class StoryAccepted(View, frozen=True, kw_only=True):
    story_id: str
    status: str


class StoryViewers(View, frozen=True, kw_only=True):
    """How many saw a story, the last of them, and a sentence that says it; no sentence where nobody did."""

    views: int
    text: str | None
    newest: list[Account]


class Story(View, frozen=True, kw_only=True):
    """A story; `viewers` is for its owner alone. In an archive or a highlight neither it nor `seen` is told."""

    id: str
    owner_id: str
    status: Literal["processing", "published", "rejected", "deleted"]
    audience: StoryAudience
    media: Photograph
    published_at: datetime | None = None
    expires_at: datetime | None = None
    seen: bool = False
    viewers: StoryViewers | None = None


class Playback(View, frozen=True, kw_only=True):
    items: list[Story]


class TrayEntry(View, frozen=True, kw_only=True):
    """An account with live stories; `first_unseen` is where playback begins."""

    account: Account
    stories: int
    newest_at: datetime
    unseen: bool
    first_unseen: str | None


class Tray(View, frozen=True, kw_only=True):
    own: TrayEntry | None
    items: list[TrayEntry]


class StoryReplyWritten(View, frozen=True, kw_only=True):
    reply_id: str


class StoryReply(View, frozen=True, kw_only=True):
    id: str
    sender: Account
    text: str | None


class StoryReaction(View, frozen=True, kw_only=True):
    sender: Account
    reaction: str


class HighlightWritten(View, frozen=True, kw_only=True):
    highlight_id: str


class Highlight(View, frozen=True, kw_only=True):
    """A highlight with the stories that the viewer may see in it."""

    id: str
    title: str | None
    items: list[Story]


class TrendingHashtag(View, frozen=True, kw_only=True):
    hashtag: str
    people: int


class Trending(View, frozen=True, kw_only=True):
    """The hashtags that most people used within a window; no window where nothing trends."""

    scope: str
    window_start: datetime | None
    window_end: datetime | None
    hashtags: list[TrendingHashtag]
