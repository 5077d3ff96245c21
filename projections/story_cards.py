"""The cached forms of stories, of the lists of close friends, and of how many saw a story.

| entry | fields |
|---|---|
| `story:{slot}:id` | `card`; the entry ends with the story |
| `story_views:{slot}:id` | `count`; the entry ends with its row, a day after the story |
| `close:{slot}:viewer` | one for each owner, named by its id, who counts the viewer among their close friends, or is
known not to |
"""

from collections.abc import Callable, Iterable, Mapping
from typing import cast

import msgspec

from photolog.ids import slot_of
from photolog.timestamps import rfc3339
from projections.card_json import Photograph, photograph_of
from projections.close_friends import CLOSE_FRIENDS
from projections.stores.port import CacheWrite
from projections.stories import STORIES, StoryRow, StoryStatus
from projections.story_views import STORY_VIEWS, StoryViewRow
from projections.tables import KeyTuple
from projections.writes import Kept
from schemas.events import MediaItem, StoryAudience

CARD = "card"
COUNT = "count"
_YES = b"1"
_MEDIA = msgspec.json.Decoder(MediaItem)


class StoryBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a client gets of a story's own row. Instants in RFC 3339; `media` is there once it is published."""

    id: str
    owner_id: str
    status: StoryStatus
    audience: StoryAudience
    media: Photograph
    created_at: str
    published_at: str | None
    expires_at: str | None


class CachedStory(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A story's cached form. `body` is the JSON of `StoryBody`; times in Unix ms, 0 before it is published."""

    story_id: int
    owner_id: int
    status: StoryStatus
    audience: StoryAudience
    published_ms: int
    expires_ms: int
    body: bytes

    def is_live(self, now_ms: int) -> bool:
        """Whether it is shown at a time, Unix ms."""
        return self.status == "published" and now_ms < self.expires_ms


_STORY = msgspec.msgpack.Decoder(CachedStory)


def story_key(story_id: int) -> str:
    """The entry of a story."""
    return f"story:{{{slot_of(story_id)}}}:{story_id}"


def story_views_key(story_id: int) -> str:
    """The entry of how many saw a story."""
    return f"story_views:{{{slot_of(story_id)}}}:{story_id}"


def close_friends_key(viewer_id: int) -> str:
    """The entry of whose close friend a viewer is: one field for each owner, named by its id."""
    return f"close:{{{slot_of(viewer_id)}}}:{viewer_id}"


def cached_story(story: StoryRow) -> CachedStory:
    """A story in its cached form."""
    media = Photograph(id=str(story.media_id), alt=story.alt_text)
    if story.media is not None:
        media = photograph_of(_MEDIA.decode(story.media), story.alt_text)
    body = StoryBody(
        id=str(story.story_id),
        owner_id=str(story.owner_id),
        status=story.status,
        audience=story.audience,
        media=media,
        created_at=rfc3339(story.created_ms),
        published_at=None if story.published_ms is None else rfc3339(story.published_ms),
        expires_at=None if story.expires_ms is None else rfc3339(story.expires_ms),
    )
    return CachedStory(
        story.story_id,
        story.owner_id,
        story.status,
        story.audience,
        story.published_ms or 0,
        story.expires_ms or 0,
        msgspec.json.encode(body),
    )


def parse_story(value: bytes | None) -> CachedStory | None:
    """Open a story's cached form."""
    return None if value is None else _STORY.decode(value)


def story_writes(story_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what STORIES holds of a story."""
    row = cast(StoryRow | None, kept.row)
    if row is None:
        return [CacheWrite(story_key(story_id), CARD, kept.offset, None)]
    value = msgspec.msgpack.encode(cached_story(row))
    return [CacheWrite(story_key(story_id), CARD, kept.offset, value, row.expires_ms)]


def story_view_writes(story_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what STORY_VIEWS holds of a story."""
    row = cast(StoryViewRow | None, kept.row)
    key = story_views_key(story_id)
    if row is None:
        return [CacheWrite(key, COUNT, kept.offset, None)]
    return [CacheWrite(key, COUNT, kept.offset, b"%d" % row.views, row.expires_ms)]


def close_friend_writes(owner_id: int, friend_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what CLOSE_FRIENDS holds of an owner and another account."""
    value = None if kept.row is None else _YES
    return [CacheWrite(close_friends_key(friend_id), str(owner_id), kept.offset, value)]


STORY_FORMS: Mapping[str, Callable[[KeyTuple, Kept], Iterable[CacheWrite]]] = {
    STORIES.name: lambda key, kept: story_writes(key[0], kept),
    STORY_VIEWS.name: lambda key, kept: story_view_writes(key[0], kept),
    CLOSE_FRIENDS.name: lambda key, kept: close_friend_writes(key[0], key[1], kept),
}
