"""What cards are made of, read from the cache in one round trip. What it does not know is read from the rows and
written back for the next reader.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import structlog

from gateway.services import Services
from photolog.errors import StoreUnavailable
from photolog.ids import snowflake_ms
from projections.accounts import ACCOUNTS
from projections.card_json import CachedAccount, parse_account
from projections.cards import (
    CARD,
    SINCE,
    SUMS,
    TOP,
    SumName,
    account_key,
    cache_writes,
    likes_key,
    post_key,
    saves_key,
    since_write,
    sum_of,
    sum_writes,
)
from projections.likes import LIKES
from projections.posts import POSTS
from projections.relations import Relation, pair_with, parse_relation, relations_key
from projections.saves import SAVES
from projections.stores.port import MISSING, CacheWrite, Missing, RowStore, VersionedCache
from projections.stores.top_comments import read_top_comments
from projections.tables import Row, RowKey
from projections.writes import Kept

POST_FIELDS = (CARD, *SUMS, TOP)
_ACCOUNT_FIELDS = (CARD,)
_PARTS_MAX = 4_096  # partitions of a topic, at most
logger = structlog.get_logger(__name__)

Values = list[bytes | Missing | None]
_Own = Literal["relations", "likes", "saves"]
_OWN_KEYS: dict[_Own, Callable[[int], str]] = {"relations": relations_key, "likes": likes_key, "saves": saves_key}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of the cache, entry by entry in this order: posts, accounts, and each of the viewer's own entries.

    Args:
        post_ids: one entry each, with `post_fields`.
        account_ids: one entry each.
        own: the viewer's, each with a field for every post or account.
        viewer_id: 0 where nobody looks; nothing is asked for them then.
    """

    post_ids: Sequence[int]
    post_fields: Sequence[str]
    account_ids: Sequence[int]
    own: Sequence[tuple[_Own, Sequence[str]]]
    viewer_id: int

    def wanted(self) -> list[tuple[str, Sequence[str]]]:
        """Keys of the cache and their fields."""
        return [
            *[(post_key(post_id), self.post_fields) for post_id in self.post_ids],
            *[(account_key(account_id)[0], _ACCOUNT_FIELDS) for account_id in self.account_ids],
            *[(_OWN_KEYS[kind](self.viewer_id), fields) for kind, fields in self.own],
        ]

    def parts(self, answers: list[Values]) -> tuple[list[Values], list[Values], list[Values]]:
        """The answers for posts, for accounts, and for the viewer's own entries."""
        accounts_at = len(self.post_ids)
        own_at = accounts_at + len(self.account_ids)
        return answers[:accounts_at], answers[accounts_at:own_at], answers[own_at:]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read.

    Args:
        posts: for each post that was asked for the values of its fields.
        accounts: those that are there.
        relations: of the viewer to each account, themself excepted.
        liked: of the posts that were asked for, those that the viewer likes.
        saved: those that the viewer saved.
    """

    posts: list[Values]
    accounts: dict[int, CachedAccount]
    relations: dict[int, Relation]
    liked: set[str]
    saved: set[str]

    def with_more(self, other: "Facts") -> "Facts":
        """These facts and those that were read after them."""
        return Facts(
            [*self.posts, *other.posts],
            self.accounts | other.accounts,
            self.relations | other.relations,
            self.liked | other.liked,
            self.saved | other.saved,
        )


NO_FACTS = Facts([], {}, {}, set(), set())


def nobody_asks() -> None:
    """For surfaces that look the same whether or not the cache answers."""


async def read_facts(
    services: Services,
    viewer_id: int | None,
    post_ids: Sequence[int] = (),
    account_ids: Iterable[int] = (),
    post_fields: Sequence[str] = POST_FIELDS,
    away: Callable[[], None] = nobody_asks,
) -> Facts:
    """Read posts and accounts as a viewer needs them. One round trip where the cache knows everything.

    Args:
        services: the gateway's.
        viewer_id: who looks; None for an anonymous viewer.
        post_ids: posts; what the viewer did with them is read along with all `POST_FIELDS`.
        account_ids: accounts; what is between them and the viewer is read along.
        post_fields: what is wanted of the posts.
        away: called where the cache did not answer, so that all of it came from rows.
    """
    account_ids = list(account_ids)
    own: list[tuple[_Own, Sequence[str]]] = []
    if viewer_id is not None:
        own.append(("relations", [str(account_id) for account_id in account_ids if account_id != viewer_id]))
        if post_ids and post_fields is POST_FIELDS:
            fields = [*(str(post_id) for post_id in post_ids), SINCE]
            own += [("likes", fields), ("saves", fields)]
    asked = _Asked(post_ids, post_fields, account_ids, [one for one in own if one[1]], viewer_id or 0)
    answers = await _read(services.cache, asked.wanted(), away)
    _rule_out(asked, answers)
    if MISSING in chain.from_iterable(answers):
        await _complete(services, asked, answers)
    return _facts(asked, answers)


def _rule_out(asked: _Asked, answers: list[Values]) -> None:
    """Fill in what the viewer's own entries need no field for: posts that are later than all that they may lack."""
    _, _, own = asked.parts(answers)
    for (kind, _), values in zip(asked.own, own, strict=True):
        since = values[-1]
        if kind != "relations" and isinstance(since, bytes):
            floor = int(since)
            for place, post_id in enumerate(asked.post_ids):
                if post_id > floor and values[place] is MISSING:
                    values[place] = None


def _facts(asked: _Asked, answers: list[Values]) -> Facts:
    posts, accounts, own = asked.parts(answers)
    facts = Facts(posts, {}, {}, set(), set())
    for account_id, (card,) in zip(asked.account_ids, accounts, strict=True):
        if isinstance(card, bytes):
            facts.accounts[account_id] = parse_account(account_id, card)
    for (kind, fields), values in zip(asked.own, own, strict=True):
        if kind == "relations":
            for field, value in zip(fields, values, strict=True):
                if not isinstance(value, Missing):
                    facts.relations[int(field)] = parse_relation(value)
        else:
            mine = facts.liked if kind == "likes" else facts.saved
            mine.update([field for field, value in zip(fields[:-1], values[:-1], strict=True) if value is not None])
    return facts


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


async def _complete(services: Services, asked: _Asked, answers: list[Values]) -> None:
    """Read what is missing from the rows, concurrently, put it in place, and write it back."""
    keys, counts, tops = _missing(asked, answers)
    held, parts, top_writes = await asyncio.gather(
        services.rows.load(keys),
        asyncio.gather(*(_parts(services.rows, post_id, name) for post_id, name in counts)),
        asyncio.gather(*(read_top_comments(services.rows, post_id) for post_id in tops)),
    )
    writes = [write for key in keys for write in cache_writes(key, held[key])] + top_writes
    # The newest of all that tell the time: this process's clock may be behind those that made the posts.
    newest_ms = max([services.clock_ms(), services.ids.last_ms, *map(snowflake_ms, asked.post_ids)])
    writes += [since_write(key, newest_ms) for key in _never_read(asked, answers)]
    found = {(write.key, write.field): write.value for write in writes}
    for (post_id, name), kept in zip(counts, parts, strict=True):
        writes += sum_writes(post_id, name, kept)
        found[post_key(post_id), name] = sum_of(kept)
    for (key, fields), values in zip(asked.wanted(), answers, strict=True):
        for place, field in enumerate(fields):
            if values[place] is MISSING:
                values[place] = found[key, field]
    await _write_back(services.cache, writes)


def _missing(asked: _Asked, answers: list[Values]) -> tuple[list[RowKey[Row]], list[tuple[int, SumName]], list[int]]:
    """The rows that answer for what is missing, the counts, and the posts whose top comments are."""
    keys: list[RowKey[Row]] = []
    counts: list[tuple[int, SumName]] = []
    tops: list[int] = []
    posts, accounts, own = asked.parts(answers)
    for post_id, values in zip(asked.post_ids, posts, strict=True):
        missing = [field for field, value in zip(asked.post_fields, values, strict=True) if value is MISSING]
        keys += [POSTS.key(post_id)] * (CARD in missing)
        tops += [post_id] * (TOP in missing)
        counts += [(post_id, name) for name in SUMS if name in missing]
    keys += [
        ACCOUNTS.key(account_id)
        for account_id, (card,) in zip(asked.account_ids, accounts, strict=True)
        if card is MISSING
    ]
    for (kind, fields), values in zip(asked.own, own, strict=True):
        keys += [
            _own_row(kind, asked.viewer_id, int(field))
            for field, value in zip(fields, values, strict=True)
            if value is MISSING and field != SINCE
        ]
    return keys, counts, tops


def _never_read(asked: _Asked, answers: list[Values]) -> list[str]:
    """The viewer's own entries that do not say from which post on they lack nothing."""
    _, _, own = asked.parts(answers)
    return [
        _OWN_KEYS[kind](asked.viewer_id)
        for (kind, fields), values in zip(asked.own, own, strict=True)
        if fields[-1] == SINCE and values[-1] is MISSING
    ]


def _own_row(kind: _Own, viewer_id: int, other_id: int) -> RowKey[Row]:
    match kind:
        case "relations":
            return pair_with(viewer_id, other_id)
        case "likes":
            return LIKES.key(viewer_id, other_id)
        case "saves":
            return SAVES.key(viewer_id, other_id)


async def _parts(rows: RowStore, post_id: int, name: SumName) -> list[Kept]:
    return await rows.scan_kept(SUMS[name], (post_id,), limit=_PARTS_MAX)


async def _write_back(cache: VersionedCache, writes: Sequence[CacheWrite]) -> None:
    try:
        await cache.merge(writes)
    except StoreUnavailable as error:
        logger.warning("cache-away", cause=str(error))
