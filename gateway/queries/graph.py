"""Lists between people: followers, followees, mutuals, requests, blocks, mutes; and what is between two."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import msgspec

from gateway.celebrities import followers_behind
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from gateway.visibility import (
    look_at,
    may_see_account,
    nothing_here,
    see_lists_of,
    visible_accounts,
)
from projections.graph import (
    BLOCKS,
    FOLLOW_REQUESTS,
    FOLLOWINGS,
    MUTES,
    SENT_REQUESTS,
    FollowerRow,
)
from projections.pairs import FollowStatus
from projections.relations import pair_with, relation_of
from projections.tables import Row, Table

R = TypeVar("R", bound=Row)
_MUTUALS_STRIDE = 100
MODELS = ("accounts", "graph")


class ListedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a list, and whether the viewer follows it."""

    id: str
    username: str | None
    display_name: str | None
    verified: bool
    private: bool
    following: FollowStatus


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ListedAccount]
    next_cursor: str | None


class Relationship(msgspec.Struct, frozen=True, kw_only=True):
    """What is between the viewer and an account. Whether the account mutes the viewer is not for them to know."""

    account_id: str
    following: FollowStatus
    followed_by: FollowStatus
    blocking: bool
    muting: bool


async def followers(services: Services, call: Call) -> Answer:
    """Who follows an account, in an order that means nothing but stays. A celebrity's newest may be a minute late."""
    account_id = call.id("account_id")
    await see_lists_of(services.rows, call.viewer_id, account_id)

    async def show(rows: Sequence[FollowerRow]) -> list[ListedAccount | None]:
        follower_ids = [row.follower_id for row in rows]
        shown = await listed_accounts(services, call.viewer, follower_ids)
        if services.celebrities.followers.get(account_id) is None:
            return shown
        # What was remembered may hold somebody who was removed since; the pairs say who follows now.
        pairs = await services.rows.get_many([pair_with(account_id, follower_id) for follower_id in follower_ids])
        follows = [relation_of(account_id, pair).followed_by == "active" for pair in pairs]
        return [item if still else None for item, still in zip(shown, follows, strict=True)]

    listing = Listing(
        partial(followers_behind, services, account_id),
        lambda row: (row.shard, row.slot, row.follower_id),
        show,
    )
    return await _answer(services, call, f"followers:{account_id}", listing)


async def following(services: Services, call: Call) -> Answer:
    """Whom an account follows, the newest following first."""
    account_id = call.id("account_id")
    await see_lists_of(services.rows, call.viewer_id, account_id)
    return await _list(services, call, FOLLOWINGS, account_id, "followee_id")


async def mutuals(services: Services, call: Call) -> Answer:
    """Whom an account follows and is followed by, the newest following first."""
    account_id = call.id("account_id")
    await see_lists_of(services.rows, call.viewer_id, account_id)

    async def show(followee_ids: list[int]) -> list[ListedAccount | None]:
        pairs = await services.rows.get_many([pair_with(account_id, followee_id) for followee_id in followee_ids])
        relations = [relation_of(account_id, pair) for pair in pairs]
        back = {
            followee_id
            for followee_id, relation in zip(followee_ids, relations, strict=True)
            if relation.followed_by == "active"
        }
        shown = await listed_accounts(services, call.viewer, [one for one in followee_ids if one in back])
        found = {item.id: item for item in shown if item is not None}
        return [found.get(str(followee_id)) for followee_id in followee_ids]

    listing = Listing(
        lambda after, limit: services.rows.scan(FOLLOWINGS, (account_id,), after=after, limit=limit),
        lambda row: (row.since_ms, row.followee_id),
        lambda rows: show([row.followee_id for row in rows]),
        stride=_MUTUALS_STRIDE,
    )
    return await _answer(services, call, f"mutuals:{account_id}", listing)


async def requests(services: Services, call: Call) -> Answer:
    """Who asks to follow the viewer, the newest first."""
    return await _list(services, call, FOLLOW_REQUESTS, call.viewer, "follower_id")


async def sent_requests(services: Services, call: Call) -> Answer:
    """Whom the viewer asks to follow, the newest first."""
    return await _list(services, call, SENT_REQUESTS, call.viewer, "followee_id")


async def blocks(services: Services, call: Call) -> Answer:
    """Whom the viewer blocks, the newest first."""
    return await _list(services, call, BLOCKS, call.viewer, "blocked_id", hidden_too=True)


async def mutes(services: Services, call: Call) -> Answer:
    """Whom the viewer mutes, the newest first."""
    return await _list(services, call, MUTES, call.viewer, "muted_id")


async def relationship(services: Services, call: Call) -> Answer:
    """What is between the viewer and an account; one whom they block themself they may ask about."""
    account_id = call.id("account_id")
    seen = (await look_at(services.rows, call.viewer, [account_id])).get(account_id)
    if seen is None or not (seen.relation.blocks or may_see_account(call.viewer, seen.account, seen.relation)):
        raise nothing_here()
    relation = seen.relation
    return Answer(
        Relationship(
            account_id=str(account_id),
            following=relation.follows,
            followed_by=relation.followed_by,
            blocking=relation.blocks,
            muting=relation.mutes,
        )
    )


async def _list(
    services: Services, call: Call, table: Table[R], of: int, other: str, *, hidden_too: bool = False
) -> Answer:
    """A list ordered by (since_ms, other account)."""
    listing = Listing(
        lambda after, limit: services.rows.scan(table, (of,), after=after, limit=limit),
        lambda row: tuple(getattr(row, field) for field in ("since_ms", other)),
        lambda rows: listed_accounts(services, call.viewer, [getattr(row, other) for row in rows], hidden_too),
    )
    return await _answer(services, call, f"{table.name}:{of}", listing)


async def _answer(services: Services, call: Call, kind: str, listing: Listing[R, ListedAccount]) -> Answer:
    query: ListQuery = call.query
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    return Answer(AccountPage(items=items, next_cursor=services.cursors.encode(kind, mark) if mark else None))


async def listed_accounts(
    services: Services, viewer: int, account_ids: Sequence[int], hidden_too: bool = False
) -> list[ListedAccount | None]:
    """Accounts as a list shows them; None for each that the viewer may not see, unless `hidden_too`."""
    find = look_at if hidden_too else visible_accounts
    found = await find(services.rows, viewer, account_ids)
    return [
        ListedAccount(
            id=str(account_id),
            username=seen.account.username,
            display_name=seen.account.display_name,
            verified=seen.account.verified,
            private=seen.account.private,
            following=seen.relation.follows,
        )
        if (seen := found.get(account_id))
        else None
        for account_id in account_ids
    ]


ENDPOINTS: tuple[Endpoint, ...] = (
    *(
        Endpoint("GET", path, handler, summary, "graph", query=ListQuery, response=AccountPage, models=MODELS)
        for path, handler, summary in (
            ("/v1/accounts/{account_id}/followers", followers, "Followers"),
            ("/v1/accounts/{account_id}/following", following, "Followed accounts"),
            ("/v1/accounts/{account_id}/mutuals", mutuals, "Accounts that follow each other with this one"),
            ("/v1/me/requests", requests, "Requests to follow you"),
            ("/v1/me/requests/sent", sent_requests, "Your requests to follow"),
            ("/v1/me/blocks", blocks, "Accounts that you block"),
            ("/v1/me/mutes", mutes, "Accounts that you mute"),
        )
    ),
    Endpoint(
        "GET",
        "/v1/accounts/{account_id}/relationship",
        relationship,
        "What is between you and an account",
        "graph",
        response=Relationship,
        models=MODELS,
    ),
)
