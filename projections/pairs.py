"""The rules between two accounts: what each graph event makes of what they do to each other."""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from schemas import events as e

FollowStatus = Literal["none", "pending", "active"]

GraphEvent = (
    e.FollowCreated
    | e.FollowDeleted
    | e.FollowApproved
    | e.FollowDeferred
    | e.FollowDenied
    | e.FollowerRemoved
    | e.AccountBlocked
    | e.AccountUnblocked
    | e.AccountMuted
    | e.AccountUnmuted
)


@dataclass(frozen=True, slots=True)
class Side:
    """What one account of a pair does to the other, and since when (Unix ms)."""

    follows: FollowStatus = "none"
    follows_since_ms: int = 0
    blocks: bool = False
    blocks_since_ms: int = 0
    mutes: bool = False
    mutes_since_ms: int = 0


def actor_and_other(event: GraphEvent) -> tuple[int, int]:
    """The follower, blocker or muter of an event, and the account at the other end."""
    match event:
        case e.AccountBlocked() | e.AccountUnblocked():
            return event.blocker_id, event.blocked_id
        case e.AccountMuted() | e.AccountUnmuted():
            return event.muter_id, event.muted_id
        case _:
            return event.follower_id, event.followee_id


def decide(own: Side, other: Side, event: GraphEvent, at_ms: int) -> tuple[Side, Side]:
    """What an event makes of the two sides of a pair.

    Args:
        own: the side of the follower, the blocker or the muter.
        other: the side of the account that is followed, blocked or muted.
        event: what happened.
        at_ms: when it happened, Unix ms.

    Returns:
        Both sides afterwards, unchanged where the event has nothing to act on.
    """
    match event:
        case e.FollowCreated(wanted_status=wanted):
            return (own if own.blocks or other.blocks else _wanted(own, wanted, at_ms)), other
        case e.FollowDeleted():
            return _unfollowed(own), other
        case e.FollowApproved(requested_ms=requested_ms):
            meant = own.follows == "pending" and requested_ms in (None, own.follows_since_ms)
            return (_following(own, "active", at_ms) if meant else own), other
        case e.FollowDeferred(followed_ms=followed_ms):
            meant = own.follows == "active" and own.follows_since_ms == followed_ms
            return (_following(own, "pending", at_ms) if meant else own), other
        case e.FollowDenied():
            return (_unfollowed(own) if own.follows == "pending" else own), other
        case e.FollowerRemoved():
            return (_unfollowed(own) if own.follows == "active" else own), other
        case e.AccountBlocked():
            blocking = own if own.blocks else replace(own, blocks=True, blocks_since_ms=at_ms)
            return _unfollowed(blocking), _unfollowed(other)
        case e.AccountUnblocked():
            return replace(own, blocks=False, blocks_since_ms=0), other
        case e.AccountMuted():
            return (own if own.mutes else replace(own, mutes=True, mutes_since_ms=at_ms)), other
        case e.AccountUnmuted():
            return replace(own, mutes=False, mutes_since_ms=0), other
    assert_never(event)


def _wanted(own: Side, wanted: FollowStatus, at_ms: int) -> Side:
    """A wish to follow never weakens what is there: a second one while active or equally pending is nothing new."""
    if own.follows == "active" or own.follows == wanted:
        return own
    return _following(own, wanted, at_ms)


def _following(own: Side, status: FollowStatus, at_ms: int) -> Side:
    return replace(own, follows=status, follows_since_ms=at_ms)


def _unfollowed(own: Side) -> Side:
    return replace(own, follows="none", follows_since_ms=0)
