"""The home feed: what the viewer and those they follow published, newest first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from gateway.cards import hydrate
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.metrics import feed_degraded
from gateway.services import Services
from gateway.skeletons import Reason, Skeleton, Wanted, feed_skeleton
from gateway.visibility import may_see_post
from photolog.errors import Invalid
from photolog.timestamps import rfc3339
from projections.card_json import CachedAccount, CachedPost, PostCard
from projections.feed import BEGINNING, TOP, Place, place_of
from projections.relations import Relation
from projections.stores.port import TimelineEntry

_STRETCHES_MAX = 4  # read for one page, as long as nothing in them may be shown


class FeedEdge(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the feed. Posts of one instant are ordered by their ids."""

    published_at: str
    post_id: str


class CompleteRange(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page leaves out nothing that the viewer may see: strictly below one place, and down to another, itself
    included. The pages of a feed read to its end cover all of it, without a gap and without an overlap.

    `items` of the page's items, the first ones, lie in it. What follows them is known already, but others may lie
    between; it is there again on the pages behind `next_cursor`. `below` is null for the newest posts, `down_to` where
    the feed ends.
    """

    items: int
    below: FeedEdge | None
    down_to: FeedEdge | None


class _Tail(msgspec.Struct, frozen=True, kw_only=True):
    next_cursor: str | None
    complete: CompleteRange | None
    degraded: bool
    reasons: list[Reason]


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the feed. It may be short and still go on, where much of what was posted is hidden.

    `complete` is null where the page is complete nowhere. A page that is `degraded` says why: `cache-away`, all of it
    came from the rows; `budget-spent`, it shows what was read in time, and the rest is being read: `next_cursor` goes
    on below what is complete, so that nothing is skipped.
    """

    items: list[PostCard]
    next_cursor: str | None
    complete: CompleteRange | None
    degraded: bool
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class Page:
    """A page before it is written down. It is complete from where it began down to where it goes on.

    Args:
        cards: the JSON of each card.
        complete: how many of them, the first ones, lie in the range over which the page is complete.
        mark: the place to go on from; None at the feed's end.
        reasons: why the page is less than it could be.
    """

    cards: Sequence[bytes]
    complete: int
    mark: Place | None
    reasons: frozenset[Reason]


async def home_feed(services: Services, call: Call) -> Answer:
    """The viewer's feed. What its pages are complete for neither repeats nor skips a post, whatever is posted."""
    query: ListQuery = call.query
    kind = f"feed:{call.viewer}"
    before = _place(services.cursors.decode(kind, query.cursor)) if query.cursor else TOP
    page = await feed_page(services, call.viewer, before, query.limit)
    for reason in page.reasons:
        feed_degraded(reason)
    tail = _Tail(
        next_cursor=None if page.mark is None else services.cursors.encode(kind, page.mark),
        complete=None if page.mark == before else _range(page, before),
        degraded=bool(page.reasons),
        reasons=sorted(page.reasons),
    )
    return Answer(msgspec.Raw(b'{"items":[%b],%b' % (b",".join(page.cards), msgspec.json.encode(tail)[1:])))


async def feed_page(services: Services, viewer_id: int, before: Place, limit: int) -> Page:
    """One page.

    Args:
        services: the gateway's.
        viewer_id: whose feed.
        before: the place that the page before ended at; `TOP` for the newest.
        limit: cards on a full page.
    """
    until = asyncio.get_running_loop().time() + services.settings.gateway.feed_budget_ms / 1000
    building = _Building(services, viewer_id, limit)
    for _ in range(_STRETCHES_MAX):
        skeleton = await feed_skeleton(services, Wanted(viewer_id, before, limit, limit, until))
        if skeleton.away:
            building.reasons.add("cache-away")
        full = await building.take(skeleton)
        if full is not None:
            return building.page(full)
        if skeleton.stretch.ended:
            return building.page(None)
        before = skeleton.stretch.complete_from
        if skeleton.beyond is not None:
            complete = len(building.cards)
            await building.take_what_is_known(skeleton.beyond)
            return building.page(before, complete)
        if building.cards:
            break
    return building.page(before)


class _Building:
    """A page while its cards are being found."""

    def __init__(self, services: Services, viewer_id: int, limit: int) -> None:
        self._services = services
        self._viewer_id = viewer_id
        self._limit = limit
        self.cards: list[bytes] = []
        self.reasons: set[Reason] = set()

    async def take(self, skeleton: Skeleton) -> Place | None:
        """Show what may be shown of a stretch. Answers where the page goes on, once it is full."""
        entries = skeleton.stretch.entries
        for entry, card in zip(entries, await self._cards(entries), strict=True):
            if card is None:
                continue
            self.cards.append(card)
            if len(self.cards) == self._limit:
                last = entry is entries[-1]
                return BEGINNING if last and skeleton.stretch.ended else place_of(entry)
        return None

    async def take_what_is_known(self, entries: Sequence[TimelineEntry]) -> None:
        """Fill the page with what may be shown of entries between which others may lie."""
        self.reasons.add("budget-spent")
        self.cards += [card for card in await self._cards(entries) if card is not None]

    def page(self, mark: Place | None, complete: int | None = None) -> Page:
        """The page that goes on at a place, complete for its first cards or for all of them."""
        count = len(self.cards) if complete is None else complete
        return Page(self.cards, count, None if mark == BEGINNING else mark, frozenset(self.reasons))

    async def _cards(self, entries: Sequence[TimelineEntry]) -> list[bytes | None]:
        shown = [(entry.post_id, entry.author_id) for entry in entries]
        away = partial(self.reasons.add, "cache-away")
        room = self._limit - len(self.cards)
        return await hydrate(self._services, self._viewer_id, shown, _in_feed, away, cards_max=room)


def _in_feed(viewer_id: int | None, post: CachedPost, author: CachedAccount, relation: Relation) -> bool:
    """What the viewer may see, is published, and is their own or that of someone they follow and do not mute."""
    if post.status != "published" or not may_see_post(viewer_id, post, author, relation):
        return False
    return author.account_id == viewer_id or (relation.follows == "active" and not relation.mutes)


def _range(page: Page, before: Place) -> CompleteRange:
    return CompleteRange(
        items=page.complete,
        below=None if before == TOP else _edge(before),
        down_to=None if page.mark is None else _edge(page.mark),
    )


def _edge(place: Place) -> FeedEdge:
    published_ms, post_id = place
    return FeedEdge(published_at=rfc3339(published_ms), post_id=str(post_id))


def _place(values: tuple[int | str, ...]) -> Place:
    match values:
        case (int(published_ms), int(post_id)) if BEGINNING <= (published_ms, post_id) <= TOP:
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
        models=("accounts", "comments", "feed", "graph", "likes", "posts", "saves", "shares"),
    ),
)
