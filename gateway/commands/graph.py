"""Commands between two people: follow, request, approve, deny, remove, block, mute, and their opposites.

Each is stamped with what the rows say at that moment and appended; the fold of the pair decides what becomes of it.
A command that is already true is appended again all the same: the rows may be behind a command that undid it.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

import msgspec

from gateway.endpoint import Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import Seen, look_at, may_see_account, nothing_here, see_account
from photolog.errors import Conflict, Invalid
from projections.graph import GRAPH_COUNTS, SENT_REQUESTS
from projections.pairs import FollowStatus
from projections.stores.port import RowStore
from schemas import events as e

FOLLOWEES_MAX = 7_500
# What gives sight of something, or takes it, is answered when the rows and caches of everybody have it.
_AT_ONCE = ("graph",)
_COUNT_ROWS_MAX = 16_384  # three counters, for more partitions of the graph topic than anyone has


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """What the viewer is to the account from now on; `pending` waits for an approval."""

    account_id: str
    following: FollowStatus


class Follower(msgspec.Struct, frozen=True, kw_only=True):
    """What the account is to the viewer from now on."""

    account_id: str
    followed_by: FollowStatus


class AllApproved(msgspec.Struct, frozen=True, kw_only=True):
    """Whose requests were approved."""

    account_id: str


class Blocking(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    blocking: bool


class Muting(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    muting: bool


async def follow(services: Services, call: Call) -> Command:
    """Follow, or ask to follow an account that is private now."""
    viewer, target = _two(call, "follow")
    seen = await see_account(services.rows, viewer, target)
    if seen.relation.follows == "none":
        await _limit_followees(services.rows, viewer)
    # Never from the relation: its row may be behind an unfollowing, and would let the viewer in unasked. The fold
    # leaves a following that is active as it is.
    wanted: Literal["active", "pending"] = "pending" if seen.account.private else "active"
    version = seen.account.privacy_version
    event = e.FollowCreated(follower_id=viewer, followee_id=target, wanted_status=wanted, privacy_version=version)
    status: FollowStatus = "active" if seen.relation.follows == "active" else wanted
    return Command((event,), Following(account_id=str(target), following=status))


async def follow_again(services: Services, call: Call) -> Command:
    """What a follow is when it is tried again: stamped by the privacy of now, and refused by nothing."""
    viewer, target = _two(call, "follow")
    seen = (await look_at(services.rows, viewer, [target])).get(target)
    public = seen is not None and not seen.account.private
    wanted: Literal["active", "pending"] = "active" if public else "pending"
    version = seen.account.privacy_version if seen is not None else -1
    event = e.FollowCreated(follower_id=viewer, followee_id=target, wanted_status=wanted, privacy_version=version)
    status: FollowStatus = "active" if seen is not None and seen.relation.follows == "active" else wanted
    return Command((event,), Following(account_id=str(target), following=status))


async def unfollow(services: Services, call: Call) -> Command:
    """Stop following, or withdraw the request."""
    viewer, target = _two(call, "follow")
    await _there_or(services.rows, viewer, target, lambda seen: seen.relation.follows != "none")
    event = e.FollowDeleted(follower_id=viewer, followee_id=target)
    return Command((event,), Following(account_id=str(target), following="none"), wait_for=_AT_ONCE)


async def block(services: Services, call: Call) -> Command:
    """Hide two people from each other; both followings end."""
    viewer, target = _two(call, "block")
    await _there_or(services.rows, viewer, target, lambda seen: seen.relation.blocks)
    event = e.AccountBlocked(blocker_id=viewer, blocked_id=target)
    return Command((event,), Blocking(account_id=str(target), blocking=True), wait_for=_AT_ONCE)


async def unblock(services: Services, call: Call) -> Command:
    """Take the viewer's own block back. Nobody follows anybody again by that."""
    viewer, target = _two(call, "block")
    await _there_or(services.rows, viewer, target, lambda seen: seen.relation.blocks)
    event = e.AccountUnblocked(blocker_id=viewer, blocked_id=target)
    return Command((event,), Blocking(account_id=str(target), blocking=False), wait_for=_AT_ONCE)


async def mute(services: Services, call: Call) -> Command:
    """Keep an account out of the viewer's feed; the account does not learn of it."""
    viewer, target = _two(call, "mute")
    await see_account(services.rows, viewer, target)
    event = e.AccountMuted(muter_id=viewer, muted_id=target)
    return Command((event,), Muting(account_id=str(target), muting=True))


async def unmute(services: Services, call: Call) -> Command:
    """Let an account back into the viewer's feed."""
    viewer, target = _two(call, "mute")
    await _there_or(services.rows, viewer, target, lambda seen: seen.relation.mutes)
    event = e.AccountUnmuted(muter_id=viewer, muted_id=target)
    return Command((event,), Muting(account_id=str(target), muting=False))


async def remove_follower(services: Services, call: Call) -> Command:
    """End someone's following of the viewer."""
    viewer, follower = await _follower(services, call, "active")
    event = e.FollowerRemoved(follower_id=follower, followee_id=viewer)
    return Command((event,), Follower(account_id=str(follower), followed_by="none"), wait_for=_AT_ONCE)


async def approve(services: Services, call: Call) -> Command:
    """Let someone who asked follow the viewer."""
    viewer, follower = await _follower(services, call, "pending")
    await see_account(services.rows, viewer, follower)
    event = e.FollowApproved(follower_id=follower, followee_id=viewer)
    return Command((event,), Follower(account_id=str(follower), followed_by="active"), wait_for=_AT_ONCE)


async def approve_all(services: Services, call: Call) -> Command:
    """Let everyone follow the viewer who asks to now; one event, however many they are.

    The accounts job makes an approval of each request, a page at a time. The answer comes once all are approved.
    """
    event = e.RequestsApproved(account_id=call.viewer)
    return Command((event,), AllApproved(account_id=str(call.viewer)), wait_for=("accounts", *_AT_ONCE))


async def deny(services: Services, call: Call) -> Command:
    """Refuse someone who asked; they may ask again."""
    viewer, follower = await _follower(services, call, "pending")
    event = e.FollowDenied(follower_id=follower, followee_id=viewer)
    return Command((event,), Follower(account_id=str(follower), followed_by="none"), wait_for=_AT_ONCE)


def _two(call: Call, action: str) -> tuple[int, int]:
    viewer, target = call.viewer, call.id("account_id")
    if viewer == target:
        raise Invalid(f"cannot-{action}-self", f"nobody can {action} themself", "account_id")
    return viewer, target


async def _there_or(rows: RowStore, viewer: int, target: int, known: Callable[[Seen], bool]) -> None:
    """Require an account that the viewer may see, or one that their own earlier act lets them know of."""
    seen = (await look_at(rows, viewer, [target])).get(target)
    if seen is None or not (known(seen) or may_see_account(viewer, seen.account, seen.relation)):
        raise nothing_here()


async def _follower(services: Services, call: Call, status: FollowStatus) -> tuple[int, int]:
    """The viewer, and the account in the path, whose following of the viewer must stand at `status`."""
    viewer, follower = call.viewer, call.id("account_id")
    seen = (await look_at(services.rows, viewer, [follower])).get(follower)
    if seen is None or seen.relation.followed_by != status:
        raise nothing_here()
    return viewer, follower


async def _limit_followees(rows: RowStore, viewer: int) -> None:
    """Refuse one more following. Requests count too, as approving them is not the viewer's to stop."""
    counts, requests = await asyncio.gather(
        rows.scan(GRAPH_COUNTS, (viewer,), limit=_COUNT_ROWS_MAX),
        rows.scan(SENT_REQUESTS, (viewer,), limit=FOLLOWEES_MAX),
    )
    following = sum(row.count for row in counts if row.counter == "following")
    if following + len(requests) >= FOLLOWEES_MAX:
        raise Conflict("too-many-followees", f"an account follows at most {FOLLOWEES_MAX} others")


# Only what another's act allows waits for positions; the rest needs no row to be up to date.
_ANSWERED = ("accounts", "graph")
ENDPOINTS: tuple[Endpoint, ...] = tuple(
    Endpoint(
        method,
        path,
        handler,
        summary,
        "graph",
        response=response,
        models=models,
        rate="graph",
        retried=follow_again if handler is follow else None,
    )
    for method, path, handler, summary, response, models in (
        ("PUT", "/v1/accounts/{account_id}/follow", follow, "Follow, or ask to", Following, ()),
        ("DELETE", "/v1/accounts/{account_id}/follow", unfollow, "Unfollow, or withdraw the request", Following, ()),
        ("PUT", "/v1/accounts/{account_id}/block", block, "Block", Blocking, ()),
        ("DELETE", "/v1/accounts/{account_id}/block", unblock, "Unblock", Blocking, ()),
        ("PUT", "/v1/accounts/{account_id}/mute", mute, "Mute", Muting, ()),
        ("DELETE", "/v1/accounts/{account_id}/mute", unmute, "Unmute", Muting, ()),
        ("DELETE", "/v1/me/followers/{account_id}", remove_follower, "Remove a follower", Follower, _ANSWERED),
        ("PUT", "/v1/me/requests", approve_all, "Approve all requests to follow you", AllApproved, ()),
        ("PUT", "/v1/me/requests/{account_id}", approve, "Approve a request to follow", Follower, _ANSWERED),
        ("DELETE", "/v1/me/requests/{account_id}", deny, "Deny a request to follow", Follower, _ANSWERED),
    )
)
