"""A post, and the grid of an account's posts."""

from collections.abc import Sequence
from functools import partial

import msgspec

from gateway.cards import hydrate
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from gateway.visibility import look_for_post, nothing_here, see_posts_of
from projections.card_json import PostCard
from projections.posts import POSTS_BY_OWNER, PUBLISHED_POSTS, OwnedPostRow, PublishedPostRow

MODELS = ("accounts", "comments", "graph", "likes", "posts", "saves", "shares")


class PostPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[PostCard]
    next_cursor: str | None


async def post(services: Services, call: Call) -> Answer:
    """One post. Its author sees it from the start, everyone else once it is published. An author whose post an operator
    took down is told so."""
    post_id = call.id("post_id")
    seen = await look_for_post(services.rows, call.viewer_id, post_id)
    (card,) = await hydrate(services, call.viewer_id, [(post_id, seen.post.owner_id)])
    if card is None:
        raise nothing_here()
    return Answer(msgspec.Raw(card), etag=True)


async def grid(services: Services, call: Call) -> Answer:
    """An account's posts: its own view newest first, whatever their state; everyone else's in publication order."""
    account_id = call.id("account_id")
    seen = await see_posts_of(services.rows, call.viewer_id, account_id)
    query: ListQuery = call.query
    kind = f"{'own' if seen.own else 'published'}-posts:{account_id}"
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    if seen.own:
        cards, mark = await page(_own(services, account_id), after, query.limit)
    else:
        cards, mark = await page(_published(services, call.viewer_id, account_id), after, query.limit)
    cursor = msgspec.json.encode(services.cursors.encode(kind, mark) if mark else None)
    return Answer(msgspec.Raw(b'{"items":[%b],"next_cursor":%b}' % (b",".join(cards), cursor)), etag=True)


def _own(services: Services, account_id: int) -> Listing[OwnedPostRow, bytes]:
    return Listing(
        lambda after, limit: services.rows.scan(POSTS_BY_OWNER, (account_id,), after=after, limit=limit),
        lambda row: (row.post_id,),
        partial(_cards, services, account_id),
    )


def _published(services: Services, viewer_id: int | None, account_id: int) -> Listing[PublishedPostRow, bytes]:
    return Listing(
        lambda after, limit: services.rows.scan(PUBLISHED_POSTS, (account_id,), after=after, limit=limit),
        lambda row: (row.published_ms, row.post_id),
        partial(_cards, services, viewer_id),
    )


async def _cards(
    services: Services, viewer_id: int | None, rows: Sequence[OwnedPostRow | PublishedPostRow]
) -> list[bytes | None]:
    return await hydrate(services, viewer_id, [(row.post_id, row.owner_id) for row in rows])


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/posts/{post_id}",
        post,
        "A post",
        "posts",
        auth="optional",
        response=PostCard,
        models=MODELS,
        problems=(410,),
    ),
    Endpoint(
        "GET",
        "/v1/accounts/{account_id}/posts",
        grid,
        "An account's posts",
        "posts",
        auth="optional",
        query=ListQuery,
        response=PostPage,
        models=MODELS,
    ),
)
