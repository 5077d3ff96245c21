"""Hydration: posts by id become the JSON of their cards, for those that the viewer may see.

One round trip reads all that a page shows from the cache. What the cache does not know is read from the rows, shown,
and written back for the next reader.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from gateway.services import Services
from gateway.visibility import may_see_post
from photolog.errors import StoreUnavailable
from projections.accounts import ACCOUNTS
from projections.card_json import CachedAccount, CachedPost, parse_account, parse_post, stitched
from projections.cards import (
    CARD,
    COMMENT_SUM,
    LIKE_SUM,
    SumName,
    account_key,
    cache_writes,
    likes_key,
    post_key,
    sum_of,
    sum_writes,
)
from projections.comments import COMMENT_COUNTS
from projections.likes import LIKE_COUNTS, LIKES
from projections.posts import POSTS
from projections.relations import NO_RELATION, Relation, pair_with, parse_relation, relations_key
from projections.stores.port import MISSING, CacheWrite, Missing, RowStore, VersionedCache
from projections.tables import Row, RowKey
from projections.writes import Kept

_POST_FIELDS = (CARD, LIKE_SUM, COMMENT_SUM)
_PARTS_MAX = 4_096  # partitions of a topic, at most
logger = structlog.get_logger(__name__)

Values = list[bytes | Missing | None]
Rule = Callable[[int | None, CachedPost, CachedAccount, Relation], bool]
"""Whether a viewer sees a post of an author, given what is between the two."""


@dataclass(slots=True)
class _Page:
    """What a page asks of the cache, and its answers, entry by entry."""

    viewer_id: int | None
    post_ids: list[int]
    author_ids: list[int]
    other_ids: list[int]
    wanted: list[tuple[str, Sequence[str]]]
    answers: list[Values]

    @property
    def posts(self) -> list[Values]:
        return self.answers[: len(self.post_ids)]

    @property
    def authors(self) -> list[Values]:
        return self.answers[len(self.post_ids) : len(self.post_ids) + len(self.author_ids)]

    @property
    def relations(self) -> Values:
        return self.answers[-2] if self.viewer_id is not None else []

    @property
    def likes(self) -> Values:
        return self.answers[-1] if self.viewer_id is not None else []


def _nobody_asks() -> None:
    """For surfaces that look the same whether or not the cache answers."""


async def hydrate(
    services: Services,
    viewer_id: int | None,
    shown: Sequence[tuple[int, int]],
    rule: Rule = may_see_post,
    away: Callable[[], None] = _nobody_asks,
) -> list[bytes | None]:
    """The cards of posts.

    Args:
        services: the gateway's.
        viewer_id: who looks; None for an anonymous viewer.
        shown: (post id, author id) of each post.
        rule: which of them the viewer sees.
        away: called where the cache did not answer, so that all of it came from rows.

    Returns:
        For each post the JSON of a `PostCard`, None where it is not to be shown.
    """
    if not shown:
        return []
    page = _asked(viewer_id, shown)
    page.answers = await _read(services.cache, page.wanted, away)
    if any(MISSING in values for values in page.answers):
        await _complete(services, page)
    return _cards(page, shown, rule)


def _asked(viewer_id: int | None, shown: Sequence[tuple[int, int]]) -> _Page:
    post_ids = [post_id for post_id, _ in shown]
    author_ids = list(dict.fromkeys([author_id for _, author_id in shown]))
    other_ids: list[int] = []
    wanted: list[tuple[str, Sequence[str]]] = [(post_key(post_id), _POST_FIELDS) for post_id in post_ids]
    wanted += [(key, (field,)) for key, field in map(account_key, author_ids)]
    if viewer_id is not None:
        other_ids = [author_id for author_id in author_ids if author_id != viewer_id]
        wanted.append((relations_key(viewer_id), [str(author_id) for author_id in other_ids]))
        wanted.append((likes_key(viewer_id), [str(post_id) for post_id in post_ids]))
    return _Page(viewer_id, post_ids, author_ids, other_ids, wanted, [])


def _cards(page: _Page, shown: Sequence[tuple[int, int]], rule: Rule) -> list[bytes | None]:
    authors = {
        author_id: parse_account(author_id, value)
        for author_id, (value,) in zip(page.author_ids, page.authors, strict=True)
        if isinstance(value, bytes)
    }
    relations = {
        other_id: parse_relation(value)
        for other_id, value in zip(page.other_ids, page.relations, strict=True)
        if not isinstance(value, Missing)
    }
    likes = page.likes or [None] * len(shown)
    cards: list[bytes | None] = []
    for (_, author_id), values, liked in zip(shown, page.posts, likes, strict=True):
        cards.append(_card(page.viewer_id, values, authors.get(author_id), relations.get(author_id), liked, rule))
    return cards


def _card(
    viewer_id: int | None,
    values: Values,
    author: CachedAccount | None,
    relation: Relation | None,
    liked: bytes | Missing | None,
    rule: Rule,
) -> bytes | None:
    card, likes, comments = values
    if author is None or not (isinstance(card, bytes) and isinstance(likes, bytes) and isinstance(comments, bytes)):
        return None
    post = parse_post(card)
    # The relation and the account are those of the author that was named: they say nothing of another's post.
    if post.owner_id != author.account_id or not rule(viewer_id, post, author, relation or NO_RELATION):
        return None
    return stitched(post, author.card, likes, comments, liked is not None)


async def _read(
    cache: VersionedCache, wanted: Sequence[tuple[str, Sequence[str]]], away: Callable[[], None]
) -> list[Values]:
    try:
        return await cache.read(wanted)
    except StoreUnavailable as error:
        # The rows know all that the cache would have.
        logger.warning("cache-away", cause=str(error))
        away()
        return [[MISSING] * len(fields) for _, fields in wanted]


async def _complete(services: Services, page: _Page) -> None:
    """Read what is missing from the rows, in one concurrent round trip, and write it back."""
    keys, counts = list(_missing_rows(page)), list(_missing_counts(page))
    held, parts = await asyncio.gather(
        services.rows.load(keys),
        asyncio.gather(*(_parts(services.rows, post_id, name) for post_id, name in counts)),
    )
    writes = [write for key in keys for write in cache_writes(key, held[key])]
    found = {(write.key, write.field): write.value for write in writes}
    for (post_id, name), kept in zip(counts, parts, strict=True):
        writes += sum_writes(post_id, name, kept)
        found[post_key(post_id), name] = sum_of(kept)
    for (key, fields), values in zip(page.wanted, page.answers, strict=True):
        for place, field in enumerate(fields):
            if values[place] is MISSING:
                values[place] = found[key, field]
    await _write_back(services.cache, writes)


async def _parts(rows: RowStore, post_id: int, name: SumName) -> list[Kept]:
    if name == LIKE_SUM:
        return await rows.scan_kept(LIKE_COUNTS, (post_id,), limit=_PARTS_MAX)
    return await rows.scan_kept(COMMENT_COUNTS, (post_id,), limit=_PARTS_MAX)


def _missing_rows(page: _Page) -> Iterable[RowKey[Row]]:
    for post_id, (card, _, _) in zip(page.post_ids, page.posts, strict=True):
        if card is MISSING:
            yield POSTS.key(post_id)
    for author_id, (card,) in zip(page.author_ids, page.authors, strict=True):
        if card is MISSING:
            yield ACCOUNTS.key(author_id)
    if page.viewer_id is None:
        return
    for other_id, relation in zip(page.other_ids, page.relations, strict=True):
        if relation is MISSING:
            yield pair_with(page.viewer_id, other_id)
    for post_id, like in zip(page.post_ids, page.likes, strict=True):
        if like is MISSING:
            yield LIKES.key(page.viewer_id, post_id)


def _missing_counts(page: _Page) -> Iterable[tuple[int, SumName]]:
    for post_id, (_, likes, comments) in zip(page.post_ids, page.posts, strict=True):
        if likes is MISSING:
            yield post_id, LIKE_SUM
        if comments is MISSING:
            yield post_id, COMMENT_SUM


async def _write_back(cache: VersionedCache, writes: Sequence[CacheWrite]) -> None:
    try:
        await cache.merge(writes)
    except StoreUnavailable as error:
        logger.warning("cache-away", cause=str(error))
