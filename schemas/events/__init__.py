"""Every event as a typed record, one class for each schema in `schemas/avro/<capability>/<Event>.avsc`.

The Avro files are the contract; a test holds these classes equal to them. A field marked `Personal("subject")`
is plaintext here and ciphertext in the log, under the key of the account that the named field holds. It is `None`
once that key is erased. What analysts may get is marked too: an event by `analysts`, each of its fields by `Shown`;
what bears no mark is never served to them.
"""

from schemas.events.accounts import (
    AccountCreated,
    AccountDeleted,
    AccountReinstated,
    AccountSuspended,
    AccountUnverified,
    AccountVerified,
    PrivacyChanged,
    ProfileChanged,
    RequestsApproved,
)
from schemas.events.base import Event, Form, HouseRule, Personal, Shown, Snowflake
from schemas.events.engagement import (
    CommentCreated,
    CommentDeleted,
    CommentLiked,
    CommentLikesCounted,
    CommentUnliked,
    ContentReported,
    PostLiked,
    PostSaved,
    PostShared,
    PostUnliked,
    PostUnsaved,
    ReportWithdrawn,
)
from schemas.events.feed import FanoutRequested, PriorityFanoutRequested
from schemas.events.graph import (
    AccountBlocked,
    AccountMuted,
    AccountUnblocked,
    AccountUnmuted,
    FollowApproved,
    FollowCreated,
    FollowDeferred,
    FollowDeleted,
    FollowDenied,
    FollowerRemoved,
)
from schemas.events.media import (
    MediaKind,
    MediaTranscodingCompleted,
    MediaTranscodingFailed,
    MediaTranscodingRequested,
    MediaVariant,
    Purpose,
)
from schemas.events.posts import (
    Location,
    MediaItem,
    PostCaptionChanged,
    PostCreated,
    PostDeleted,
    PostPublished,
    PostRejected,
)
from schemas.events.telemetry import PostDwelt, PostImpressed, PostViewed, Surface

__all__ = [
    "AccountBlocked",
    "AccountCreated",
    "AccountDeleted",
    "AccountMuted",
    "AccountReinstated",
    "AccountSuspended",
    "AccountUnblocked",
    "AccountUnmuted",
    "AccountUnverified",
    "AccountVerified",
    "CommentCreated",
    "CommentDeleted",
    "CommentLiked",
    "CommentLikesCounted",
    "CommentUnliked",
    "ContentReported",
    "Event",
    "FanoutRequested",
    "FollowApproved",
    "FollowCreated",
    "FollowDeferred",
    "FollowDeleted",
    "FollowDenied",
    "FollowerRemoved",
    "Form",
    "HouseRule",
    "Location",
    "MediaItem",
    "MediaKind",
    "MediaTranscodingCompleted",
    "MediaTranscodingFailed",
    "MediaTranscodingRequested",
    "MediaVariant",
    "Personal",
    "PostCaptionChanged",
    "PostCreated",
    "PostDeleted",
    "PostDwelt",
    "PostImpressed",
    "PostLiked",
    "PostPublished",
    "PostRejected",
    "PostSaved",
    "PostShared",
    "PostUnliked",
    "PostUnsaved",
    "PostViewed",
    "PriorityFanoutRequested",
    "PrivacyChanged",
    "ProfileChanged",
    "Purpose",
    "ReportWithdrawn",
    "RequestsApproved",
    "Shown",
    "Snowflake",
    "Surface",
]
