"""Every event as a typed record, one class for each schema in `schemas/avro/<capability>/<Event>.avsc`.

The Avro files are the contract; a test holds these classes equal to them. A field marked `Personal("subject")`
is plaintext here and ciphertext in the log, under the key of the account that the named field holds. It is `None`
once that key is erased. What analysts may get is marked too: an event by `analysts`, each of its fields by `Shown`;
what bears no mark is never served to them.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec

Snowflake = int  # 64-bit, time-ordered: photolog/ids.py


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field as personal data.

    Args:
        subject: the field of the same event that names the account whose data it is.
    """

    subject: str


HouseRule = Literal["spam", "nudity", "hate", "violence", "harassment", "self_harm", "false_information", "other"]
"""What content or an account may break."""

Form = Literal["plain", "account", "post", "comment"]
"""How analysts get a field: as it is, or as a pseudonym of the account, post or comment whose id it holds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Marks a field as one that analysts get.

    Args:
        form: how they get it.
        meaning: what it is, for the dictionary that they read.
    """

    form: Form
    meaning: str


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An immutable fact in the log.

    `type` is its name on the wire, `capability` the folder of its schema, `analysts` whether it is served to analysts
    where it is public (gateway/public_events.py).
    """

    type: ClassVar[str]
    capability: ClassVar[str]
    analysts: ClassVar[bool] = False


# --- accounts ---------------------------------------------------------------------------------------------------


class AccountCreated(Event, frozen=True, kw_only=True):
    type = "account.created"
    capability = "accounts"
    analysts = True
    account_id: Annotated[Snowflake, Shown("account", "who signed up")]
    username: Annotated[str | None, Personal("account_id")]
    display_name: Annotated[str | None, Personal("account_id")]
    private: bool


class ProfileChanged(Event, frozen=True, kw_only=True):
    """Carries the whole new profile, so that applying it twice changes nothing."""

    type = "profile.changed"
    capability = "accounts"
    account_id: Snowflake
    display_name: Annotated[str | None, Personal("account_id")]
    bio: Annotated[str | None, Personal("account_id")]


class PrivacyChanged(Event, frozen=True, kw_only=True):
    type = "privacy.changed"
    capability = "accounts"
    account_id: Snowflake
    private: bool


class RequestsApproved(Event, frozen=True, kw_only=True):
    """The account approves everyone who asks to follow it now. A job makes a `FollowApproved` of each request."""

    type = "requests.approved"
    capability = "accounts"
    account_id: Snowflake


class AccountSuspended(Event, frozen=True, kw_only=True):
    """`reason` is the rule that was broken, `note` what the operator wrote for other operators."""

    type = "account.suspended"
    capability = "accounts"
    account_id: Snowflake
    reason: HouseRule
    operator: str
    note: str = ""


class AccountReinstated(Event, frozen=True, kw_only=True):
    type = "account.reinstated"
    capability = "accounts"
    account_id: Snowflake
    operator: str


class AccountDeleted(Event, frozen=True, kw_only=True):
    """The account is gone for good. What it did elsewhere is taken back by events of its own."""

    type = "account.deleted"
    capability = "accounts"
    account_id: Snowflake


class AccountVerified(Event, frozen=True, kw_only=True):
    """An operator vouches that the account is who it says."""

    type = "account.verified"
    capability = "accounts"
    analysts = True
    account_id: Annotated[Snowflake, Shown("account", "whom an operator vouches for")]
    operator: str


class AccountUnverified(Event, frozen=True, kw_only=True):
    type = "account.unverified"
    capability = "accounts"
    analysts = True
    account_id: Annotated[Snowflake, Shown("account", "whom an operator vouches for no more")]
    operator: str


# --- graph: every event of two people shares the key of their pair --------------------------------------------------


class FollowCreated(Event, frozen=True, kw_only=True):
    """`wanted_status` is decided by the command from the followee's privacy and never looked up again.

    `privacy_version` is the version of the privacy that decided, so that a decision which was outdated when it came can
    be told.
    """

    type = "follow.created"
    capability = "graph"
    analysts = True
    follower_id: Annotated[Snowflake, Shown("account", "who follows")]
    followee_id: Annotated[Snowflake, Shown("account", "who is followed")]
    wanted_status: Literal["active", "pending"]
    privacy_version: int = -1


class FollowDeleted(Event, frozen=True, kw_only=True):
    """The follower unfollows, or withdraws the request."""

    type = "follow.deleted"
    capability = "graph"
    analysts = True
    follower_id: Annotated[Snowflake, Shown("account", "who follows no more")]
    followee_id: Annotated[Snowflake, Shown("account", "who was followed")]


class FollowApproved(Event, frozen=True, kw_only=True):
    """A request becomes a follow. `requested_ms` is when the one that is meant was made; absent, whichever waits."""

    type = "follow.approved"
    capability = "graph"
    follower_id: Snowflake
    followee_id: Snowflake
    requested_ms: int | None = None


class FollowDeferred(Event, frozen=True, kw_only=True):
    """The follow that was made at `followed_ms` came too late, the account was private by then: it is a request."""

    type = "follow.deferred"
    capability = "graph"
    follower_id: Snowflake
    followee_id: Snowflake
    followed_ms: int


class FollowDenied(Event, frozen=True, kw_only=True):
    type = "follow.denied"
    capability = "graph"
    follower_id: Snowflake
    followee_id: Snowflake


class FollowerRemoved(Event, frozen=True, kw_only=True):
    """The followee removes a follower."""

    type = "follower.removed"
    capability = "graph"
    follower_id: Snowflake
    followee_id: Snowflake


class AccountBlocked(Event, frozen=True, kw_only=True):
    type = "account.blocked"
    capability = "graph"
    blocker_id: Snowflake
    blocked_id: Snowflake


class AccountUnblocked(Event, frozen=True, kw_only=True):
    type = "account.unblocked"
    capability = "graph"
    blocker_id: Snowflake
    blocked_id: Snowflake


class AccountMuted(Event, frozen=True, kw_only=True):
    type = "account.muted"
    capability = "graph"
    muter_id: Snowflake
    muted_id: Snowflake


class AccountUnmuted(Event, frozen=True, kw_only=True):
    type = "account.unmuted"
    capability = "graph"
    muter_id: Snowflake
    muted_id: Snowflake


# --- posts ------------------------------------------------------------------------------------------------------


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
    hashtags: Annotated[list[str], Shown("plain", "those of its hashtags that it still has, normalised")] = []


class PostRejected(Event, frozen=True, kw_only=True):
    """A photograph of the post could not be decoded, so it is never published."""

    type = "post.rejected"
    capability = "posts"
    post_id: Snowflake
    owner_id: Snowflake
    media_id: Snowflake
    reason: str


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
    type = "post.deleted"
    capability = "posts"
    analysts = True
    post_id: Annotated[Snowflake, Shown("post", "the post that is gone")]
    owner_id: Snowflake


# --- media ------------------------------------------------------------------------------------------------------


class MediaTranscodingRequested(Event, frozen=True, kw_only=True):
    """What an upload is for decides how long a video may be."""

    type = "media.transcoding.requested"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    object_key: str
    content_type: str
    size_bytes: int
    purpose: Literal["post", "reel", "story"] = "post"
    sha256: str | None = None


class MediaVariant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One file that was made of a photograph or a video; sizes in pixels and bytes, 0 pixels for sound."""

    name: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    object_key: str


class MediaTranscodingCompleted(Event, frozen=True, kw_only=True):
    """Everything that is made of an upload is there; a photograph has no duration.

    `blurhash` is shown to clients. `phash` (64 bits as a signed long) and `digest` (SHA-256 of the upload, in
    hexadecimal) recognise contents and are shown to nobody. Records of before, and of videos, have none of the three.
    """

    type = "media.transcoding.completed"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    width: int
    height: int
    variants: list[MediaVariant]
    kind: Literal["photo", "video"] = "photo"
    duration_ms: int = 0
    blurhash: str = ""
    phash: int | None = None
    digest: str = ""


class MediaTranscodingFailed(Event, frozen=True, kw_only=True):
    type = "media.transcoding.failed"
    capability = "media"
    media_id: Snowflake
    owner_id: Snowflake
    reason: str
    detail: str


# --- engagement ---------------------------------------------------------------------------------------------------


class PostLiked(Event, frozen=True, kw_only=True):
    type = "post.liked"
    capability = "engagement"
    analysts = True
    actor_id: Annotated[Snowflake, Shown("account", "who likes it")]
    post_id: Annotated[Snowflake, Shown("post", "the post")]


class PostUnliked(Event, frozen=True, kw_only=True):
    type = "post.unliked"
    capability = "engagement"
    analysts = True
    actor_id: Annotated[Snowflake, Shown("account", "who likes it no more")]
    post_id: Annotated[Snowflake, Shown("post", "the post")]


class PostSaved(Event, frozen=True, kw_only=True):
    """`owner_id` is the post's author, so that a list of saved posts needs no look at any of them."""

    type = "post.saved"
    capability = "engagement"
    actor_id: Snowflake
    post_id: Snowflake
    owner_id: Snowflake


class PostUnsaved(Event, frozen=True, kw_only=True):
    type = "post.unsaved"
    capability = "engagement"
    actor_id: Snowflake
    post_id: Snowflake


class PostShared(Event, frozen=True, kw_only=True):
    """A post was passed on. Every share counts; `share_id` tells a repeat from another share."""

    type = "post.shared"
    capability = "engagement"
    analysts = True
    share_id: Snowflake
    actor_id: Snowflake
    post_id: Annotated[Snowflake, Shown("post", "the post")]
    channel: Annotated[Literal["link", "message", "story", "other"], Shown("plain", "how it was passed on")]


class CommentCreated(Event, frozen=True, kw_only=True):
    """A comment, or a reply: `parent_id` is the comment that it hangs under, which is never a reply itself.

    `answered_id` is the author of the reply that it answers, where it answers one.
    """

    type = "comment.created"
    capability = "engagement"
    analysts = True
    comment_id: Annotated[Snowflake, Shown("comment", "the comment")]
    post_id: Annotated[Snowflake, Shown("post", "the post")]
    author_id: Annotated[Snowflake, Shown("account", "who wrote it")]
    text: Annotated[str | None, Personal("author_id")]
    parent_id: Annotated[Snowflake | None, Shown("comment", "the comment that a reply hangs under")] = None
    answered_id: Annotated[
        Snowflake | None, Shown("account", "whose reply it answers, where that account is public")
    ] = None


class CommentDeleted(Event, frozen=True, kw_only=True):
    """`parent_id` is the comment's own: a deletion that names another parent names another comment."""

    type = "comment.deleted"
    capability = "engagement"
    analysts = True
    comment_id: Annotated[Snowflake, Shown("comment", "the comment that is gone")]
    post_id: Annotated[Snowflake, Shown("post", "the post")]
    deleted_by: Snowflake
    parent_id: Annotated[Snowflake | None, Shown("comment", "the comment that the reply hung under")] = None


class CommentLiked(Event, frozen=True, kw_only=True):
    type = "comment.liked"
    capability = "engagement"
    analysts = True
    actor_id: Annotated[Snowflake, Shown("account", "who likes it")]
    comment_id: Annotated[Snowflake, Shown("comment", "the comment")]
    post_id: Annotated[Snowflake, Shown("post", "the post")]


class CommentUnliked(Event, frozen=True, kw_only=True):
    type = "comment.unliked"
    capability = "engagement"
    analysts = True
    actor_id: Annotated[Snowflake, Shown("account", "who likes it no more")]
    comment_id: Annotated[Snowflake, Shown("comment", "the comment")]
    post_id: Annotated[Snowflake, Shown("post", "the post")]


class CommentLikesCounted(Event, frozen=True, kw_only=True):
    """Derived: how many likes of a comment one partition of comment.likes holds, as of its offset `version`.

    Likes are keyed by actor and comments by post, so this is how a post's comments come to stand by their likes.
    """

    type = "comment.likes_counted"
    capability = "engagement"
    comment_id: Snowflake
    post_id: Snowflake
    source: int
    version: int
    count: int


class ContentReported(Event, frozen=True, kw_only=True):
    """`owner_id` is whose content it is; `post_id` is the post of a reported comment."""

    type = "content.reported"
    capability = "reports"
    report_id: Snowflake
    reporter_id: Snowflake
    target: Literal["post", "comment", "account"]
    target_id: Snowflake
    post_id: Snowflake | None
    owner_id: Snowflake
    reason: HouseRule
    note: Annotated[str | None, Personal("reporter_id")]


class ReportWithdrawn(Event, frozen=True, kw_only=True):
    """The reporter's account is gone, and with it what it reported of this target."""

    type = "report.withdrawn"
    capability = "reports"
    reporter_id: Snowflake
    target: Literal["post", "comment", "account"]
    target_id: Snowflake


# --- telemetry: flat, one type for each topic, nothing personal, kept for a while ------------------------------------

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


# --- feed: derived, never appended by a client ----------------------------------------------------------------------


class FanoutRequested(Event, frozen=True, kw_only=True):
    """Some of the author's followers are to get the post. Emitted after the post's row is written.

    They are those whose slots lie between `first_slot` and `last_slot`, both included; -1 stands for all slots of
    `shard`, as every request said once.

    `delivery` is the post's own: a pulled post is requested where the author's post before it was pushed, so that
    followers' timelines learn that there is something to pull.
    """

    type = "feed.fanout.requested"
    capability = "feed"
    post_id: Snowflake
    author_id: Snowflake
    published_ms: int
    shard: int
    delivery: Literal["push", "pull"] = "push"
    first_slot: int = -1
    last_slot: int = -1


class PriorityFanoutRequested(FanoutRequested, frozen=True, kw_only=True):
    """The same for a verified author's post, in a topic of its own that is served ahead."""

    type = "feed.fanout.priority_requested"
    capability = "feed"
