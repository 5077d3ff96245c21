"""The viewer's saved posts, the last saved first."""

import msgspec

from gateway.cards import hydrate
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.queries.posts import MODELS, PostPage
from gateway.services import Services
from gateway.visibility import may_see_post
from projections.card_json import CachedAccount, CachedPost
from projections.relations import Relation
from projections.saves import SAVED_POSTS, SavedPostRow


async def saved(services: Services, call: Call) -> Answer:
    """Those of them that the viewer may see now: one that is hidden is here again when it may be seen again."""
    query: ListQuery = call.query
    kind = f"saved:{call.viewer}"
    listing: Listing[SavedPostRow, bytes] = Listing(
        lambda after, limit: services.rows.scan(SAVED_POSTS, (call.viewer,), after=after, limit=limit),
        lambda row: (row.saved_ms, row.post_id),
        lambda rows: hydrate(services, call.viewer, [(row.post_id, row.owner_id) for row in rows], _published),
    )
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    cards, mark = await page(listing, after, query.limit)
    cursor = msgspec.json.encode(services.cursors.encode(kind, mark) if mark else None)
    return Answer(msgspec.Raw(b'{"items":[%b],"next_cursor":%b}' % (b",".join(cards), cursor)))


def _published(viewer_id: int | None, post: CachedPost, author: CachedAccount, relation: Relation) -> bool:
    return post.status == "published" and may_see_post(viewer_id, post, author, relation)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/me/saved",
        saved,
        "Your saved posts",
        "saves",
        query=ListQuery,
        response=PostPage,
        models=MODELS,
    ),
)
