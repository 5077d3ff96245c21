"""Whether what the caches make of people's feeds is what the rows make of them, while traffic goes on.

Timelines, recent posts, cards, counts and relations are caches of rows. What proves them is the page that people see:
each feed's canonical page, cards and all, is made once by way of the caches and once without any of them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec

from gateway.circuit import Circuit
from gateway.guarded import GuardedCache, GuardedRecent, GuardedTimelines
from gateway.queries.feed import feed_page
from gateway.readings import Readings
from gateway.services import Services
from photolog.errors import StoreUnavailable
from photolog.grouping import grouped
from projections.comparing import Digest
from projections.feed import TOP, Place

_PAGE_CARDS = 100
_PATIENCE_MS = 60_000
_ROUNDS = 10
_PAUSE_SECONDS = 0.3
_AT_ONCE = 8
SHOWN_MAX = 100
T = TypeVar("T")
Cards = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class CardDifference:
    """A card that is not the same; None where it is not on the page.

    Args:
        account_id: whose feed.
        post_id: of the card.
        cached: as the caches make it.
        rows: as the rows make it.
    """

    account_id: int
    post_id: str
    cached: Any
    rows: Any


@dataclass(slots=True)
class FeedVerdict:
    """What was found.

    Args:
        feeds: how many were compared.
        cached: the digest of all cards as the caches make them.
        rows: the digest of all cards as the rows make them.
        differences: how many cards differ.
        shown: the first of them.
    """

    feeds: int = 0
    cached: Digest = field(default_factory=Digest)
    rows: Digest = field(default_factory=Digest)
    differences: int = 0
    shown: list[CardDifference] = field(default_factory=list)


class _Refused(Circuit):
    """A circuit that lets nothing through, so that rows stand in for what is behind it."""

    async def call(self, attempt: Callable[[], Awaitable[T]]) -> T:
        raise StoreUnavailable("not asked")


class FeedProof:
    """Compares feeds.

    Args:
        services: a gateway's.
    """

    def __init__(self, services: Services) -> None:
        gateway = services.settings.gateway.model_copy(update={"feed_budget_ms": _PATIENCE_MS})
        settings = services.settings.model_copy(update={"gateway": gateway})
        refused = _Refused("caches", 1.0)
        self._cached = replace(services, settings=settings)
        self._rows = replace(
            self._cached,
            timelines=GuardedTimelines(services.timelines, refused),
            recent=GuardedRecent(services.recent, refused),
            cache=GuardedCache(services.cache, refused),
        )

    async def verdict(
        self, account_ids: AsyncIterator[int], heard: Callable[[int], None] = lambda feeds: None
    ) -> FeedVerdict:
        """Compare the feeds of these accounts.

        Raises:
            StoreUnavailable: the rows did not answer.
        """
        verdict = FeedVerdict()
        async for some in grouped(account_ids, _AT_ONCE):
            found = await asyncio.gather(*(self._compared(account_id) for account_id in some))
            for account_id, (cached, rows) in zip(some, found, strict=True):
                _judge(verdict, account_id, cached, rows)
            heard(len(some))
        return verdict

    async def _compared(self, account_id: int) -> tuple[Cards, Cards]:
        """Both pages. Where they are not the same, something may have happened in between: they are made again."""
        cached, rows = await self._pages(account_id)
        for _ in range(_ROUNDS):
            if list(cached.items()) == list(rows.items()):
                break
            await asyncio.sleep(_PAUSE_SECONDS)
            cached, rows = await self._pages(account_id)
        return cached, rows

    async def _pages(self, account_id: int) -> tuple[Cards, Cards]:
        return await _cards(self._cached, account_id), await _cards(self._rows, account_id)


async def _cards(services: Services, account_id: int) -> Cards:
    """The cards of a feed, from its newest on, as far as a timeline reaches."""
    # What another request began may be older than this one.
    services = replace(services, readings=Readings())
    found: dict[str, bytes] = {}
    before: Place | None = TOP
    try:
        while before is not None and len(found) < services.settings.limits.timeline_entries:
            page = await feed_page(services, account_id, before, _PAGE_CARDS)
            for card in page.cards[: page.complete]:
                found[msgspec.json.decode(card, type=_Identified).id] = card
            before = page.mark if page.mark != before else None
    finally:
        await services.readings.close()
    return dict(list(found.items())[: services.settings.limits.timeline_entries])


class _Identified(msgspec.Struct):
    id: str


def _judge(verdict: FeedVerdict, account_id: int, cached: Cards, rows: Cards) -> None:
    verdict.feeds += 1
    for digest, cards in ((verdict.cached, cached), (verdict.rows, rows)):
        for post_id, card in cards.items():
            digest.add(b"%d/%b/%b" % (account_id, post_id.encode(), card))
    order = [post_id for post_id in cached if post_id in rows] != [post_id for post_id in rows if post_id in cached]
    for post_id in dict.fromkeys((*cached, *rows)):
        one, other = cached.get(post_id), rows.get(post_id)
        if one != other or order:
            verdict.differences += 1
            if len(verdict.shown) < SHOWN_MAX:
                verdict.shown.append(CardDifference(account_id, post_id, _decoded(one), _decoded(other)))


def _decoded(card: bytes | None) -> Any:
    return None if card is None else msgspec.json.decode(card)
