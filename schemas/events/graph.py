"""What happens between two people: every event shares the key of their pair."""

from typing import Annotated, Literal

from schemas.events.base import Event, Shown, Snowflake


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
