"""What happens to the block-list: contents that nobody may publish, whoever uploads them."""

from typing import Literal

import msgspec

from schemas.events.base import Event, HouseRule, Snowflake
from schemas.events.media import MediaKind


class ContentBlocked(Event, frozen=True, kw_only=True):
    """A content may not be published any more, as this very file or nearly as it is.

    `digest` is that of a media record, `phash` its perceptual hash (64 bits as a signed long), `frames` those of a
    video's seconds. `media_id` names the record that it was known from, 0 where it is known by its fingerprints alone.
    """

    type = "content.blocked"
    capability = "moderation"
    digest: str
    rule: HouseRule
    operator: str
    note: str = ""
    media_id: Snowflake = 0
    kind: MediaKind = "photo"
    phash: int | None = None
    duration_ms: int = 0
    frames: list[int] = msgspec.field(default_factory=list)


class ContentUnblocked(Event, frozen=True, kw_only=True):
    """A content may be published again. What was refused meanwhile stays refused."""

    type = "content.unblocked"
    capability = "moderation"
    digest: str
    operator: str


class HashtagBarred(Event, frozen=True, kw_only=True):
    """A hashtag is not to trend."""

    type = "hashtag.barred"
    capability = "moderation"
    hashtag: str
    reason: Literal["blocked", "sensitive"]
    operator: str


class HashtagUnbarred(Event, frozen=True, kw_only=True):
    type = "hashtag.unbarred"
    capability = "moderation"
    hashtag: str
    operator: str
