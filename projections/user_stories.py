"""An owner's live stories as one cached field, which ends with the last of them.

The field is made of all rows of one owner, and its version is the offset of the last event that a job applied before
it read them. A list that a reader made of older rows has a smaller one, and takes the place of nothing newer.
Who reads it leaves out by their own clock what has ended.
"""

import struct
from collections.abc import Iterable, Sequence

import msgspec

from photolog.ids import slot_of
from projections.stores.port import CacheWrite
from schemas.events import StoryAudience

LIVE = "live"
LIVE_MAX = 200
"""Stories that one owner has at once in trays and in playback, at most: the last of them."""
_ONE = struct.Struct(">QQQc")
_LETTERS: dict[StoryAudience, bytes] = {"everyone": b"e", "close_friends": b"c"}
_AUDIENCES: dict[bytes, StoryAudience] = {letter: audience for audience, letter in _LETTERS.items()}


class LiveStory(msgspec.Struct, frozen=True, gc=False):
    """A story that is there.

    Args:
        story_id: which.
        published_ms: since when it is there, Unix ms.
        expires_ms: until when, Unix ms.
        audience: whom of those who may see its owner it is for.
    """

    story_id: int
    published_ms: int
    expires_ms: int
    audience: StoryAudience

    @property
    def place(self) -> tuple[int, int]:
        """Its place in playback: the first to be published is played first."""
        return self.published_ms, self.story_id


def user_stories_key(owner_id: int) -> str:
    """The entry of an owner's live stories."""
    return f"user_stories:{{{slot_of(owner_id)}}}:{owner_id}"


def user_stories_write(owner_id: int, stories: Iterable[LiveStory], version: int) -> CacheWrite:
    """The cached form of an owner's live stories.

    Args:
        owner_id: whose.
        stories: all of them.
        version: the offset that they were read at, -1 where nothing was ever written.
    """
    listed = sorted(stories, key=lambda story: (story.expires_ms, story.story_id))[-LIVE_MAX:]
    value = b"".join(_packed(story) for story in listed)
    ends_ms = listed[-1].expires_ms if listed else None
    return CacheWrite(user_stories_key(owner_id), LIVE, version, value or None, ends_ms)


def live_in(value: bytes | None, now_ms: int) -> Sequence[LiveStory]:
    """The stories of a cached form that are there at a time (Unix ms), in the order of playback."""
    if value is None:
        return ()
    found = [
        LiveStory(story_id, published_ms, expires_ms, _AUDIENCES[letter])
        for expires_ms, published_ms, story_id, letter in _ONE.iter_unpack(value)
        if expires_ms > now_ms
    ]
    return found if len(found) < 2 else sorted(found, key=lambda story: story.place)


def _packed(story: LiveStory) -> bytes:
    return _ONE.pack(story.expires_ms, story.published_ms, story.story_id, _LETTERS[story.audience])
