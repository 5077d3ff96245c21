"""Posts: from creation to publication, caption and deletion, by post and by owner."""

from typing import Literal

from projections.tables import Row, Table

PostStatus = Literal["processing", "published", "rejected", "deleted"]


class PostRow(Row, frozen=True, kw_only=True):
    """A post, whole. `media` is the JSON of `list[schemas.events.MediaItem]` once published; an alt text that is
    not there is an empty string."""

    post_id: int
    owner_id: int
    status: PostStatus
    caption: str | None
    mentions: list[str]
    hashtags: list[str]
    alt_texts: list[str]
    location_name: str | None
    location_latitude: float | None
    location_longitude: float | None
    audience: Literal["public", "followers"]
    media_ids: list[int]
    media: bytes | None
    delivery: Literal["push", "pull"] | None
    created_ms: int
    published_ms: int | None
    edited_ms: int | None
    rejection: str | None


class OwnedPostRow(Row, frozen=True, kw_only=True):
    """A post under its owner, whatever its status (but deleted), newest id first: the owner's own grid."""

    owner_id: int
    post_id: int
    status: PostStatus


class PublishedPostRow(Row, frozen=True, kw_only=True):
    """A published post under its owner in publication order: everyone else's grid, and what fills a timeline."""

    owner_id: int
    published_ms: int
    post_id: int


class MediaPostRow(Row, frozen=True, kw_only=True):
    """Which posts hold a photograph, so that its completion finds them."""

    media_id: int
    post_id: int


class PostCountRow(Row, frozen=True, kw_only=True):
    """How many published posts an account has, by source partition."""

    account_id: int
    source: int
    count: int


POSTS = Table("posts", PostRow, ("post_id",), aggregate=True)
POSTS_BY_OWNER = Table("posts_by_owner", OwnedPostRow, ("owner_id",), ("-post_id",))
PUBLISHED_POSTS = Table("published_posts", PublishedPostRow, ("owner_id",), ("-published_ms", "-post_id"))
MEDIA_POSTS = Table("media_posts", MediaPostRow, ("media_id",), ("post_id",))
POST_COUNTS = Table("post_counts", PostCountRow, ("account_id",), ("source",))
