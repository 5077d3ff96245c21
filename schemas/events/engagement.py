"""Likes, saves, shares, comments and reports."""

from typing import Annotated, Literal

from schemas.events.base import Event, HouseRule, Personal, Shown, Snowflake


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
