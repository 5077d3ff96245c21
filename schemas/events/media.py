"""What happens to uploads, once they are complete."""

from typing import Literal

import msgspec

from schemas.events.base import Event, HouseRule, Snowflake

Purpose = Literal["post", "reel", "story", "voice"]
"""What an upload is for; a voice note is sound and is sent in messages."""

MediaKind = Literal["photo", "video", "voice"]
"""What an upload became."""

Verdict = Literal["allowed", "refused", "review"]
"""What a classifier makes of media; with `review` an operator decides."""


class MediaTranscodingRequested(Event, frozen=True, kw_only=True):
    """What an upload is for decides how long a video may be."""

    type = "media.transcoding.requested"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    object_key: str
    content_type: str
    size_bytes: int
    purpose: Purpose = "post"
    sha256: str | None = None


class MediaVariant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One file that was made of an upload; sizes in pixels and bytes, 0 pixels for what shows nothing."""

    name: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    object_key: str


class MediaTranscodingCompleted(Event, frozen=True, kw_only=True):
    """Everything that is made of an upload is there; a photograph has no duration.

    `blurhash` is shown to clients. `phash` (64 bits as a signed long), the same of each second of a video in `frames`,
    and `digest` (a keyed hash of all its bytes, in hexadecimal) recognise contents and are shown to nobody; records of
    before have none of them. `content_id` names the content whose original and files the record shares with others
    that are the same; 0 where it shares nothing. While `moderation` is `pending` a verdict is to follow.
    """

    type = "media.transcoding.completed"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    width: int
    height: int
    variants: list[MediaVariant]
    kind: MediaKind = "photo"
    duration_ms: int = 0
    blurhash: str = ""
    phash: int | None = None
    digest: str = ""
    content_id: Snowflake = 0
    purpose: Purpose = "post"
    frames: list[int] = msgspec.field(default_factory=list)
    moderation: Literal["none", "pending"] = "none"


class MediaTranscodingFailed(Event, frozen=True, kw_only=True):
    type = "media.transcoding.failed"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    reason: str
    detail: str


class MediaLabel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that a classifier saw, and how sure it is, 0 to 1."""

    name: str
    score: float


class MediaJudged(Event, frozen=True, kw_only=True):
    """What the classifiers make of media that waits for a verdict; the first verdict of a record is final.

    `classifier` names whose verdict it is, `reason` says why in a sentence for operators, `rule` which rule is broken.
    """

    type = "media.judged"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    verdict: Verdict
    reason: str
    classifier: str
    rule: HouseRule | None = None
    labels: list[MediaLabel] = msgspec.field(default_factory=list)


class MediaReviewed(Event, frozen=True, kw_only=True):
    """An operator decided about media, whatever the classifiers made of it; the last decision holds."""

    type = "media.reviewed"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    decision: Literal["allowed", "refused"]
    operator: str
    rule: HouseRule | None = None
    note: str = ""


class MediaTakenDown(Event, frozen=True, kw_only=True):
    """Media is shown to nobody any more, its owner included."""

    type = "media.taken_down"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    rule: HouseRule
    operator: str
    note: str = ""


class MediaReinstated(Event, frozen=True, kw_only=True):
    """A takedown of media was a mistake."""

    type = "media.reinstated"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    operator: str


class MediaCollected(Event, frozen=True, kw_only=True):
    """Nothing held it for the grace period: no post may be made of it any more.

    `media.kept` or `media.removed` follows, and names this event's id as its collection.
    """

    type = "media.collected"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake


class MediaKept(Event, frozen=True, kw_only=True):
    """A post that was made while it was being collected holds it, so it is as before."""

    type = "media.kept"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    collection: str


class MediaRemoved(Event, frozen=True, kw_only=True):
    """Nothing held it once every command that might have had ended: its files are deleted behind this."""

    type = "media.removed"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    collection: str


class MediaArchived(Event, frozen=True, kw_only=True):
    """A story is over, and its files lie in the archive; `variants` names all of them anew."""

    type = "media.archived"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    variants: list[MediaVariant]
