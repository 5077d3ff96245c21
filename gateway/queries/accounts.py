"""Queries on accounts: one's own, and others' as the viewer may see them."""

import asyncio
from collections.abc import Awaitable

import msgspec

from gateway.celebrities import exact_sums, recent_sums
from gateway.commands.accounts import own_account
from gateway.endpoint import Answer, Call, Endpoint
from gateway.queries.graph import Relationship
from gateway.remembered import GraphSums
from gateway.services import Services
from gateway.signup import folded_username
from gateway.visibility import Seen, nothing_here, see_account
from photolog.errors import Invalid
from photolog.timestamps import rfc3339
from projections.posts import POST_COUNTS

MODELS = ("accounts", "graph", "posts")
_COUNT_ROWS_MAX = 4_096  # more partitions of the posts topic than anyone has


class ProfileCounts(msgspec.Struct, frozen=True, kw_only=True):
    followers: int
    following: int
    posts: int


class OwnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's own account."""

    id: str
    username: str | None
    display_name: str | None
    bio: str | None
    verified: bool
    private: bool
    created_at: str
    counts: ProfileCounts
    requests: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the viewer sees it; `relationship` is there for a viewer who is signed in and another."""

    id: str
    username: str | None
    display_name: str | None
    bio: str | None
    verified: bool
    private: bool
    created_at: str
    counts: ProfileCounts
    relationship: Relationship | None


async def me(services: Services, call: Call) -> Answer:
    """The caller's own account, and how many ask to follow it."""
    account, (counts, requests) = await asyncio.gather(
        own_account(services, call.viewer), _counts(services, call.viewer, exact_sums(services, call.viewer))
    )
    shown = OwnProfile(
        id=str(account.account_id),
        username=account.username,
        display_name=account.display_name,
        bio=account.bio,
        verified=account.verified,
        private=account.private,
        created_at=rfc3339(account.created_ms),
        counts=counts,
        requests=requests,
    )
    return Answer(shown, etag=True)


async def profile(services: Services, call: Call) -> Answer:
    """One account. A private one is shown too: only its posts and lists are not."""
    return await _profile(services, call, call.id("account_id"))


async def profile_by_username(services: Services, call: Call) -> Answer:
    """The account that has a user name."""
    try:
        username = folded_username(call.path["username"])
    except Invalid as error:
        raise nothing_here() from error
    held = await services.vault.usernames.get(username)
    if held is None:
        raise nothing_here()
    return await _profile(services, call, held.account_id)


async def _profile(services: Services, call: Call, account_id: int) -> Answer:
    seen = await see_account(services.rows, call.viewer_id, account_id)
    counts, _ = await _counts(services, account_id, recent_sums(services, account_id))
    account = seen.account
    shown = Profile(
        id=str(account.account_id),
        username=account.username,
        display_name=account.display_name,
        bio=account.bio,
        verified=account.verified,
        private=account.private,
        created_at=rfc3339(account.created_ms),
        counts=counts,
        relationship=_relationship(seen),
    )
    return Answer(shown, etag=True)


def _relationship(seen: Seen) -> Relationship | None:
    if seen.viewer_id is None or seen.own:
        return None
    relation = seen.relation
    return Relationship(
        account_id=str(seen.account.account_id),
        following=relation.follows,
        followed_by=relation.followed_by,
        blocking=relation.blocks,
        muting=relation.mutes,
    )


async def _counts(services: Services, account_id: int, sums: Awaitable[GraphSums]) -> tuple[ProfileCounts, int]:
    """The counts that everyone sees, and that of requests."""
    edges, posts = await asyncio.gather(sums, services.rows.scan(POST_COUNTS, (account_id,), limit=_COUNT_ROWS_MAX))
    shown = ProfileCounts(followers=edges.followers, following=edges.following, posts=sum(row.count for row in posts))
    return shown, edges.requests


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/me", me, "One's own account", "accounts", response=OwnProfile, models=MODELS),
    Endpoint(
        "GET",
        "/v1/accounts/by-username/{username}",
        profile_by_username,
        "The account that has a user name",
        "accounts",
        auth="optional",
        response=Profile,
        models=MODELS,
    ),
    Endpoint(
        "GET",
        "/v1/accounts/{account_id}",
        profile,
        "An account",
        "accounts",
        auth="optional",
        response=Profile,
        models=MODELS,
    ),
)
