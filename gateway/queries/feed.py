"""The home feed: what the viewer and those they follow published, newest first."""

import msgspec

from gateway.cards import hydrate
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.services import Services
from gateway.skeletons import feed_skeleton
from gateway.visibility import may_see_post
from photolog.errors import Invalid
from projections.card_json import CachedAccount, CachedPost, PostCard
from projections.feed import BEGINNING, Place, place_of
from projections.relations import Relation

_STRETCHES_MAX = 4  # read for one page, as long as nothing in them may be shown


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the feed. It may be short and still go on, where much of what was posted is hidden."""

    items: list[PostCard]
    next_cursor: str | None


async def home_feed(services: Services, call: Call) -> Answer:
    """The viewer's feed. Its pages neither repeat nor skip a post, whatever is posted meanwhile."""
    query: ListQuery = call.query
    kind = f"feed:{call.viewer}"
    before = _place(services.cursors.decode(kind, query.cursor)) if query.cursor else None
    cards, mark = await feed_page(services, call.viewer, before, query.limit)
    cursor = b"null" if mark is None else msgspec.json.encode(services.cursors.encode(kind, mark))
    return Answer(msgspec.Raw(b'{"items":[%b],"next_cursor":%b}' % (b",".join(cards), cursor)))


async def feed_page(
    services: Services, viewer_id: int, before: Place | None, limit: int
) -> tuple[list[bytes], Place | None]:
    """One page.

    Args:
        services: the gateway's.
        viewer_id: whose feed.
        before: the place that the page before ended at; None for the newest.
        limit: cards on a full page.

    Returns:
        The JSON of the cards, and the place to go on from; None at the feed's end.
    """
    cards: list[bytes] = []
    for _ in range(_STRETCHES_MAX):
        stretch = await feed_skeleton(services, viewer_id, before, count=limit, ahead=limit)
        for part in (stretch.entries[:limit], stretch.entries[limit:]):
            found = await hydrate(services, viewer_id, [(entry.post_id, entry.author_id) for entry in part], _in_feed)
            for entry, card in zip(part, found, strict=True):
                before = place_of(entry)
                if card is not None:
                    cards.append(card)
                    if len(cards) == limit:
                        return cards, None if stretch.ended and entry == stretch.entries[-1] else before
        if stretch.ended:
            return cards, None
        if cards:
            break
    return cards, before


def _in_feed(viewer_id: int | None, post: CachedPost, author: CachedAccount, relation: Relation) -> bool:
    """What the viewer may see, is published, and is their own or that of someone they follow and do not mute."""
    if post.status != "published" or not may_see_post(viewer_id, post, author, relation):
        return False
    return author.account_id == viewer_id or (relation.follows == "active" and not relation.mutes)


def _place(values: tuple[int | str, ...]) -> Place:
    match values:
        case (int(published_ms), int(post_id)) if (published_ms, post_id) >= BEGINNING:
            return published_ms, post_id
    raise Invalid("malformed-cursor", "the cursor is not one that this list gave", "cursor")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/feed",
        home_feed,
        "Your home feed",
        "feed",
        query=ListQuery,
        response=FeedPage,
        models=("accounts", "comments", "feed", "graph", "likes", "posts"),
    ),
)
