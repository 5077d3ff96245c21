"""What is computed over windows of event time, and the flat facts that it is computed from: nothing personal."""

from typing import Literal

import msgspec

from schemas.events.base import Event, Snowflake

Engagement = Literal["like", "unlike", "comment", "share", "save", "unsave", "tick"]
"""What somebody did about a post; with `tick` nobody did anything, and time went on."""

Measured = Literal["post", "author", "affinity"]
"""Whose engagement a feature tells: a post's, an author's, or that of a viewer with an author."""


class HashtagUsed(Event, frozen=True, kw_only=True):
    """Derived: a post that anybody may see was published with a hashtag. `coarse_cell` is empty where it has none."""

    type = "hashtag.used"
    capability = "windows"
    post_id: Snowflake
    owner_id: Snowflake
    hashtag: str
    coarse_cell: str
    at_ms: int


class RankedHashtag(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A hashtag and how many people used it."""

    hashtag: str
    people: int


class HashtagsRanked(Event, frozen=True, kw_only=True):
    """Computed: the hashtags that most people used in one window, in the whole world or in one coarse cell."""

    type = "hashtags.ranked"
    capability = "windows"
    scope: str
    window_start_ms: int
    window_end_ms: int
    hashtags: list[RankedHashtag]


class PostEngaged(Event, frozen=True, kw_only=True):
    """Derived: somebody did something about a post."""

    type = "post.engaged"
    capability = "windows"
    actor_id: Snowflake
    post_id: Snowflake
    owner_id: Snowflake
    action: Engagement
    at_ms: int


class EngagementMeasured(Event, frozen=True, kw_only=True):
    """Computed: what happened about a post, an author, or between a viewer and an author in one window.

    It may be used for moments from `valid_from_ms`, when the window was closed, up to `valid_until_ms`, when the next
    one is; where there is none for a moment, nothing happened. `rate` counts what happened with weights that halve with
    age. Ids that do not belong to what is measured are 0.
    """

    type = "engagement.measured"
    capability = "windows"
    measured: Measured
    post_id: Snowflake
    author_id: Snowflake
    viewer_id: Snowflake
    window_ms: int
    valid_from_ms: int
    valid_until_ms: int
    likes: int
    comments: int
    shares: int
    saves: int
    views: float
    rate: float


class EventCameLate(Event, frozen=True, kw_only=True):
    """Computed: a record came when the first window it belongs to was closed, so that it is in none of them.

    It is named by its place, where it still is.
    """

    type = "event.came_late"
    capability = "windows"
    job: str
    source_topic: str
    source_partition: int
    source_offset: int
    at_ms: int
    closed_ms: int
