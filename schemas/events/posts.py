"""What happens to posts."""

from typing import Annotated, Literal

import msgspec

from schemas.events.base import Event, HouseRule, Personal, Shown, Snowflake


class Location(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A place that a post is tagged with, as its author wrote it."""

    name: str
    latitude: float | None = None
    longitude: float | None = None


class PostCreated(Event, frozen=True, kw_only=True):
    type = "post.created"
    capability = "posts"
    post_id: Snowflake
    owner_id: Snowflake
    media_ids: list[Snowflake]
    alt_texts: Annotated[list[str | None] | None, Personal("owner_id")]
    caption: Annotated[str | None, Personal("owner_id")]
    mentions: Annotated[list[str] | None, Personal("owner_id")]
    location: Annotated[Location | None, Personal("owner_id")]
    hashtags: list[str]
    audience: Literal["public", "followers"]
    coarse_cell: str | None = None


class MediaItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One photograph or video of a published post: its shown size in pixels, the names of its files, its blurhash if
    any; only a video lasts."""

    media_id: Snowflake
    width: Annotated[int, Shown("plain", "pixels")]
    height: Annotated[int, Shown("plain", "pixels")]
    variants: list[str]
    blurhash: str = ""
    kind: Annotated[Literal["photo", "video"], Shown("plain", "`photo` or `video`")] = "photo"
    duration_ms: Annotated[int, Shown("plain", "milliseconds; 0 for a photograph")] = 0


class PostPublished(Event, frozen=True, kw_only=True):
    """Every variant exists. `published_ms` with the post's id is its place in publication order.

    How it goes out is decided here too: in so many chunks, a power of two, and ahead of others' or not.
    """

    type = "post.published"
    capability = "posts"
    analysts = True
    post_id: Annotated[Snowflake, Shown("post", "the post")]
    owner_id: Annotated[Snowflake, Shown("account", "its author")]
    published_ms: Annotated[int, Shown("plain", "its place in publication order, Unix milliseconds")]
    delivery: Literal["push", "pull"]
    media: Annotated[list[MediaItem], Shown("plain", "its photographs, in order")]
    fanout_chunks: int = 16
    fanout_priority: bool = False
    hashtags: Annotated[list[str], Shown("plain", "those of its hashtags that it still has, normalised")] = (
        msgspec.field(default_factory=list)
    )


class PostRejected(Event, frozen=True, kw_only=True):
    """A photograph of the post could not be decoded or is not allowed, so it is never published.

    `rule` is the one that it breaks, where the reason is `not-allowed`.
    """

    type = "post.rejected"
    capability = "posts"
    post_id: Snowflake
    owner_id: Snowflake
    media_id: Snowflake
    reason: str
    rule: HouseRule | None = None


class PostCaptionChanged(Event, frozen=True, kw_only=True):
    type = "post.caption_changed"
    capability = "posts"
    analysts = True
    post_id: Annotated[Snowflake, Shown("post", "the post")]
    owner_id: Annotated[Snowflake, Shown("account", "its author")]
    caption: Annotated[str | None, Personal("owner_id")]
    mentions: Annotated[list[str] | None, Personal("owner_id")]
    hashtags: Annotated[list[str], Shown("plain", "the hashtags of the new caption, normalised")]


class PostDeleted(Event, frozen=True, kw_only=True):
    """A post is gone: by its author, or by an operator, who names the rule that it broke."""

    type = "post.deleted"
    capability = "posts"
    analysts = True
    post_id: Annotated[Snowflake, Shown("post", "the post that is gone")]
    owner_id: Snowflake
    taken_down: HouseRule | None = None
    operator: str = ""
