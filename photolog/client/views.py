"""What the gateway answers, as a client reads it: members that it does not know are skipped, so that a newer gateway
does no harm. Ids are strings.
"""

from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")
FollowStatus = Literal["none", "pending", "active"]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """An answer's JSON."""


class Tokens(View, frozen=True, kw_only=True):
    account_id: str
    access_token: str
    refresh_token: str
    expires_in_seconds: int


class SignedUp(View, frozen=True, kw_only=True):
    account_id: str


class Counts(View, frozen=True, kw_only=True):
    followers: int
    following: int
    posts: int


class Account(View, frozen=True, kw_only=True):
    """An account, as short as the place where it is shown asks for."""

    id: str
    username: str | None
    display_name: str | None = None
    verified: bool = False
    private: bool = False
    counts: Counts | None = None


class Page(View, Generic[T], frozen=True, kw_only=True):
    """A stretch of a list; `next_cursor` is None at its end."""

    items: list[T]
    next_cursor: str | None = None


class Following(View, frozen=True, kw_only=True):
    account_id: str
    following: FollowStatus


class Relationship(View, frozen=True, kw_only=True):
    account_id: str
    following: FollowStatus
    followed_by: FollowStatus
    blocking: bool
    muting: bool


class PartAddress(View, frozen=True, kw_only=True):
    number: int
    size_bytes: int
    url: str


class ArrivedPart(View, frozen=True, kw_only=True):
    number: int
    size_bytes: int
    etag: str


class UploadBegun(View, frozen=True, kw_only=True):
    media_id: str
    state: str
    parts: list[PartAddress]
    arrived: list[ArrivedPart] = []


class StoredVariant(View, frozen=True, kw_only=True):
    name: str
    content_type: str
    width: int
    height: int
    size_bytes: int


class Upload(View, frozen=True, kw_only=True):
    media_id: str
    state: Literal["uploading", "processing", "ready", "failed", "collected"]
    reason: str | None = None
    detail: str | None = None
    width: int | None = None
    height: int | None = None
    kind: Literal["photo", "video", "voice"] = "photo"
    duration_ms: int = 0
    blurhash: str | None = None
    variants: list[StoredVariant] = []
    moderation: str = "none"


class PostAccepted(View, frozen=True, kw_only=True):
    post_id: str
    status: str


class CommentWritten(View, frozen=True, kw_only=True):
    comment_id: str
    post_id: str


class Shared(View, frozen=True, kw_only=True):
    share_id: str
    post_id: str


class Accepted(View, frozen=True, kw_only=True):
    accepted: int


class CommentViewer(View, frozen=True, kw_only=True):
    liked: bool


class Comment(View, frozen=True, kw_only=True):
    """A comment or, with a `parent_id`, a reply. On a card it is shorter than in a list."""

    id: str
    author: Account
    text: str | None
    created_at: datetime
    likes: int = 0
    replies: int = 0
    parent_id: str | None = None
    answers: Account | None = None
    viewer: CommentViewer | None = None


class Place(View, frozen=True, kw_only=True):
    """Where a post was made; degrees of WGS 84."""

    name: str
    latitude: float | None = None
    longitude: float | None = None


class Photograph(View, frozen=True, kw_only=True):
    """A photograph or a video of a post; sizes in pixels. `variants` names the path of each file; none before
    publication.

    `blurhash` is what to show until a file is there, `duration_ms` how long a video lasts.
    """

    id: str
    alt: str | None = None
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    kind: Literal["photo", "video"] = "photo"
    duration_ms: int = 0
    variants: dict[str, str] = {}


class PostCounts(View, frozen=True, kw_only=True):
    likes: int
    comments: int
    shares: int = 0
    saves: int | None = None


class ViewerState(View, frozen=True, kw_only=True):
    liked: bool
    saved: bool = False


class Post(View, frozen=True, kw_only=True):
    id: str
    author: Account
    status: Literal["processing", "published", "rejected"]
    caption: str | None
    hashtags: list[str]
    mentions: list[str]
    photographs: list[Photograph]
    location: Place | None
    created_at: datetime
    published_at: datetime | None
    edited: bool
    counts: PostCounts
    viewer: ViewerState
    top_comments: list[Comment] = []

    @property
    def published_ms(self) -> int:
        """When it was published, Unix milliseconds; 0 before."""
        return 0 if self.published_at is None else round(self.published_at.timestamp() * 1_000)


class FeedEdge(View, frozen=True, kw_only=True):
    """A place in the feed."""

    published_at: datetime
    post_id: str


class CompleteRange(View, frozen=True, kw_only=True):
    """Where a page leaves out nothing: below one place and down to another. The first `items` of the page lie in it."""

    items: int
    below: FeedEdge | None = None
    down_to: FeedEdge | None = None


class FeedPage(View, frozen=True, kw_only=True):
    """A page of the feed. What it shows beyond its complete range is there again behind `next_cursor`."""

    items: list[Post]
    next_cursor: str | None = None
    complete: CompleteRange | None = None
    degraded: bool = False
    reasons: list[str] = []

    @property
    def settled(self) -> list[Post]:
        """The posts between which no other is missing."""
        return self.items[: self.complete.items] if self.complete else []


class Leaving(View, frozen=True, kw_only=True):
    """An account that was deleted; `erasure` is where to look for how far the rest is."""

    account_id: str
    erasure: str


class Erasure(View, frozen=True, kw_only=True):
    """How far an erasure is, and its signed receipt once it is finished."""

    account_id: str
    state: str
    requested_at: str
    finished_at: str | None
    receipt: str | None
