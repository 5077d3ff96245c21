"""What cards are made of, read from the cache in one round trip. What it does not know is read from the rows and
written back for the next reader.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from gateway.services import Services
from photolog.errors import StoreUnavailable
from projections.accounts import ACCOUNTS
from projections.card_json import CachedAccount, parse_account
from projections.cards import (
    CARD,
    SUMS,
    SumName,
    account_key,
    cache_writes,
    likes_key,
    post_key,
    saves_key,
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
from projections.top_comments import TOP
from projections.writes import Kept

POST_FIELDS = (CARD, *SUMS, TOP)
_PARTS_MAX = 4_096  # partitions of a topic, at most
logger = structlog.get_logger(__name__)

Values = list[bytes | Missing | None]
_Kind = Literal["post", "account", "relations", "likes", "saves"]


@dataclass(slots=True)
class _Asked:
    """Entries of the cache and their fields, what each is, and whose: a post's or an account's id, or the viewer's."""

    wanted: list[tuple[str, Sequence[str]]]
    kinds: list[tuple[_Kind, int]]
    answers: list[Values]

    def ask(self, key: str, fields: Sequence[str], kind: _Kind, subject_id: int) -> None:
        if fields:
            self.wanted.append((key, fields))
            self.kinds.append((kind, subject_id))


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
    asked = _Asked([], [], [])
    for post_id in post_ids:
        asked.ask(post_key(post_id), post_fields, "post", post_id)
    others = []
    for account_id in account_ids:
        key, field = account_key(account_id)
        asked.ask(key, (field,), "account", account_id)
        if account_id != viewer_id:
            others.append(str(account_id))
    if viewer_id is not None:
        asked.ask(relations_key(viewer_id), others, "relations", viewer_id)
        if post_fields is POST_FIELDS:
            fields = [str(post_id) for post_id in post_ids]
            asked.ask(likes_key(viewer_id), fields, "likes", viewer_id)
            asked.ask(saves_key(viewer_id), fields, "saves", viewer_id)
    asked.answers = await _read(services.cache, asked.wanted, away)
    if any(MISSING in values for values in asked.answers):
        await _complete(services, asked)
    return _facts(asked)


def _facts(asked: _Asked) -> Facts:
    facts = Facts([], {}, {}, set(), set())
    for (_, fields), (kind, subject_id), values in zip(asked.wanted, asked.kinds, asked.answers, strict=True):
        if kind == "post":
            facts.posts.append(values)
        elif kind == "account":
            if isinstance(values[0], bytes):
                facts.accounts[subject_id] = parse_account(subject_id, values[0])
        elif kind == "relations":
            for field, value in zip(fields, values, strict=True):
                if not isinstance(value, Missing):
                    facts.relations[int(field)] = parse_relation(value)
        else:
            mine = facts.liked if kind == "likes" else facts.saved
            mine.update(field for field, value in zip(fields, values, strict=True) if value is not None)
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


async def _complete(services: Services, asked: _Asked) -> None:
    """Read what is missing from the rows, concurrently, and write it back."""
    keys, counts, tops = _missing(asked)
    held, parts, top_writes = await asyncio.gather(
        services.rows.load(keys),
        asyncio.gather(*(_parts(services.rows, post_id, name) for post_id, name in counts)),
        asyncio.gather(*(read_top_comments(services.rows, post_id) for post_id in tops)),
    )
    writes = [write for key in keys for write in cache_writes(key, held[key])] + top_writes
    found = {(write.key, write.field): write.value for write in writes}
    for (post_id, name), kept in zip(counts, parts, strict=True):
        writes += sum_writes(post_id, name, kept)
        found[post_key(post_id), name] = sum_of(kept)
    for (key, fields), values in zip(asked.wanted, asked.answers, strict=True):
        for place, field in enumerate(fields):
            if values[place] is MISSING:
                values[place] = found[key, field]
    await _write_back(services.cache, writes)


def _missing(asked: _Asked) -> tuple[list[RowKey[Row]], list[tuple[int, SumName]], list[int]]:
    """The rows that answer for what is missing, the counts, and the posts whose top comments are."""
    keys: list[RowKey[Row]] = []
    counts: list[tuple[int, SumName]] = []
    tops: list[int] = []
    for (_, fields), (kind, subject_id), values in zip(asked.wanted, asked.kinds, asked.answers, strict=True):
        for field, value in zip(fields, values, strict=True):
            if value is not MISSING:
                continue
            if kind != "post" or field == CARD:
                keys.append(_row_key(kind, subject_id, field))
            elif field == TOP:
                tops.append(subject_id)
            else:
                counts += [(subject_id, name) for name in SUMS if name == field]
    return keys, counts, tops


def _row_key(kind: _Kind, subject_id: int, field: str) -> RowKey[Row]:
    match kind:
        case "post":
            return POSTS.key(subject_id)
        case "account":
            return ACCOUNTS.key(subject_id)
        case "relations":
            return pair_with(subject_id, int(field))
        case "likes":
            return LIKES.key(subject_id, int(field))
        case "saves":
            return SAVES.key(subject_id, int(field))


async def _parts(rows: RowStore, post_id: int, name: SumName) -> list[Kept]:
    return await rows.scan_kept(SUMS[name], (post_id,), limit=_PARTS_MAX)


async def _write_back(cache: VersionedCache, writes: Sequence[CacheWrite]) -> None:
    try:
        await cache.merge(writes)
    except StoreUnavailable as error:
        logger.warning("cache-away", cause=str(error))
