"""Who likes a post, the last first."""

import asyncio
from heapq import merge
from itertools import islice

from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.queries.graph import AccountPage, ListedAccount, listed_accounts
from gateway.services import Services
from gateway.visibility import see_post
from projections.likes import LIKER_SHARDS, LIKERS, LikerRow
from projections.tables import KeyTuple


async def likers(services: Services, call: Call) -> Answer:
    """The likers of a post whom the viewer may see. It needs an account, as every list of accounts does."""
    post_id = call.id("post_id")
    await see_post(services.rows, call.viewer, post_id)

    async def read(after: KeyTuple | None, limit: int) -> list[LikerRow]:
        """The newest of all shards; each is read as far as it could fill the page alone."""
        shards = await asyncio.gather(
            *(services.rows.scan(LIKERS, (post_id, shard), after=after, limit=limit) for shard in range(LIKER_SHARDS))
        )
        return list(islice(merge(*shards, key=_mark, reverse=True), limit))

    listing: Listing[LikerRow, ListedAccount] = Listing(
        read, _mark, lambda rows: listed_accounts(services, call.viewer, [row.actor_id for row in rows])
    )
    query: ListQuery = call.query
    kind = f"likers:{post_id}"
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    return Answer(AccountPage(items=items, next_cursor=services.cursors.encode(kind, mark) if mark else None))


def _mark(row: LikerRow) -> KeyTuple:
    return row.liked_ms, row.actor_id


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/posts/{post_id}/likes",
        likers,
        "Who likes a post",
        "likes",
        query=ListQuery,
        response=AccountPage,
        models=("accounts", "graph", "likes", "posts"),
    ),
)
