"""What clients observe: flat, one type for each topic, nothing personal, kept for a while."""

from typing import Literal

from schemas.events.base import Event, Snowflake

Surface = Literal["feed", "profile", "post", "saved"]


class PostImpressed(Event, frozen=True, kw_only=True):
    """A post came into view. `sample_rate` is the share of such events that is kept: each stands for its inverse."""

    type = "post.impressed"
    capability = "telemetry"
    viewer_id: Snowflake
    post_id: Snowflake
    owner_id: Snowflake
    surface: Surface
    at_ms: int
    sample_rate: float


class PostDwelt(Event, frozen=True, kw_only=True):
    """A post was in view for `dwell_ms`."""

    type = "post.dwelt"
    capability = "telemetry"
    viewer_id: Snowflake
    post_id: Snowflake
    owner_id: Snowflake
    surface: Surface
    at_ms: int
    dwell_ms: int
    sample_rate: float


class PostViewed(Event, frozen=True, kw_only=True):
    """A post was in view for three seconds on end."""

    type = "post.viewed"
    capability = "telemetry"
    viewer_id: Snowflake
    post_id: Snowflake
    owner_id: Snowflake
    surface: Surface
    at_ms: int
    sample_rate: float
