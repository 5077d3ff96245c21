"""The cached forms of rows: what the jobs write through behind their rows, and readers that missed write back.

A form is made of one row alone and carries that row's offset; what a card shows of other rows is stitched in on
reading.

| entry | fields |
|---|---|
| `account:{slot}:id` | `card` |
| `post:{slot}:id` | `card`; `likes`, `comments`, `shares` and `saves`, sums over their parts, one for each source
partition; `top`, of several rows: projections/top_comments.py |
| `likes:{slot}:viewer` | one for each post, named by its id: liked, or known not to be; `since`, an id: a post that is
later and has no field is not liked, because liking it would have written one |
| `saves:{slot}:viewer` | the same of saved posts |
| `relations:{slot}:viewer` | one for each other account: projections/relations.py |
| `trends:…`, `barred:…` | projections/trend_cards.py |
| `story:…`, `story_views:…`, `close:…` | projections/story_cards.py; `user_stories:…`: projections/user_stories.py |
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal, cast

import msgspec

from photolog.ids import first_snowflake, slot_of
from photolog.timestamps import rfc3339
from projections.accounts import ACCOUNTS, AccountRow
from projections.card_json import (
    AccountCard,
    Photograph,
    Place,
    PostBody,
    Standing,
    format_account,
    format_post,
    photograph_of,
    standing_of,
)
from projections.comments import COMMENT_COUNTS, CommentCountRow
from projections.graph import PAIRS, PairRow
from projections.likes import LIKE_COUNTS, LIKES, LikeCountRow
from projections.posts import POSTS, PostRow
from projections.relations import relation_writes
from projections.saves import SAVE_COUNTS, SAVES, SaveCountRow
from projections.shares import SHARE_COUNTS, ShareCountRow
from projections.stores.port import CacheWrite
from projections.story_cards import STORY_FORMS
from projections.tables import KeyTuple, Row, RowKey, Table
from projections.trend_cards import TREND_FORMS
from projections.writes import Kept
from schemas.events import MediaItem

CARD = "card"
SINCE = "since"
TOP = "top"
SumName = Literal["likes", "comments", "shares", "saves"]
CountRow = LikeCountRow | CommentCountRow | ShareCountRow | SaveCountRow
SUMS: dict[SumName, Table[Any]] = {
    "likes": LIKE_COUNTS,
    "comments": COMMENT_COUNTS,
    "shares": SHARE_COUNTS,
    "saves": SAVE_COUNTS,
}
"""The counts of a card, and the table that holds the parts of each."""
_ALL_PARTS = "*"
_KEYS_KEPT = 32_768  # the same posts and accounts are on many pages
_YES = b"1"
_SKEW_MS = 60_000  # by how much clocks that make ids may differ
_MEDIA = msgspec.json.Decoder(list[MediaItem])


@lru_cache(maxsize=_KEYS_KEPT)
def account_key(account_id: int) -> tuple[str, str]:
    """The (entry, field) of an account's card."""
    return f"account:{{{slot_of(account_id)}}}:{account_id}", CARD


@lru_cache(maxsize=_KEYS_KEPT)
def post_key(post_id: int) -> str:
    """The entry of a post: its card and its counts."""
    return f"post:{{{slot_of(post_id)}}}:{post_id}"


def likes_key(viewer_id: int) -> str:
    """The entry of what a viewer likes: one field for each post, named by its id."""
    return f"likes:{{{slot_of(viewer_id)}}}:{viewer_id}"


def saves_key(viewer_id: int) -> str:
    """The entry of what a viewer saved: one field for each post, named by its id."""
    return f"saves:{{{slot_of(viewer_id)}}}:{viewer_id}"


def account_standing(value: bytes | None) -> Standing:
    """The standing of a cached account; one that is known to be absent was just made."""
    return "active" if value is None else standing_of(value)


def account_writes(account_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what ACCOUNTS holds of an account."""
    row = cast(AccountRow | None, kept.row)
    return [CacheWrite(*account_key(account_id), kept.offset, None if row is None else _account_form(row))]


def post_writes(post_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what POSTS holds of a post."""
    row = cast(PostRow | None, kept.row)
    return [CacheWrite(post_key(post_id), CARD, kept.offset, None if row is None else _post_form(row))]


def like_writes(actor_id: int, post_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what LIKES holds of an account and a post."""
    return [CacheWrite(likes_key(actor_id), str(post_id), kept.offset, None if kept.row is None else _YES)]


def save_writes(actor_id: int, post_id: int, kept: Kept) -> list[CacheWrite]:
    """The cached form of what SAVES holds of an account and a post."""
    return [CacheWrite(saves_key(actor_id), str(post_id), kept.offset, None if kept.row is None else _YES)]


def since_write(key: str, newest_ms: int) -> CacheWrite:
    """What an entry of `likes_key` or `saves_key` knows of posts that are made from now on.

    Each like and each save writes its field, and an entry that is lost is lost whole.

    Args:
        key: the entry.
        newest_ms: the latest time that the reader knows of, Unix milliseconds.
    """
    return CacheWrite(key, SINCE, 0, b"%d" % first_snowflake(newest_ms + _SKEW_MS))


def sum_writes(post_id: int, name: SumName, parts: Iterable[Kept]) -> list[CacheWrite]:
    """The cached form of a whole count.

    Args:
        post_id: the post.
        name: which count.
        parts: every row of its table in `SUMS` under the post.
    """
    writes = []
    for kept in parts:
        row = cast(CountRow, kept.row)
        writes.append(_part_write(post_id, row.source, name, kept))
    return [*writes, CacheWrite(post_key(post_id), f"{name}/{_ALL_PARTS}", 0, None)]


def sum_of(parts: Iterable[Kept]) -> bytes:
    """A count in the form that `sum_writes` makes a cache answer with."""
    return b"%d" % sum(cast(CountRow, kept.row).count for kept in parts)


def cache_writes(key: RowKey[Row], kept: Kept, born: bool = False) -> list[CacheWrite]:
    """Every cached form of what a store holds at a key; none for rows that no card shows.

    Args:
        key: the key.
        kept: what is there.
        born: whether nothing ever was there before. Nobody can have liked or commented on a post that nobody could
            see, so that its counts need not be read by those who see it first.
    """
    form = _FORMS.get(key.table.name)
    writes = list(form(key.values, kept)) if form is not None else []
    if born and key.table.name == POSTS.name:
        (post_id,) = key.values
        writes += [write for name in SUMS for write in sum_writes(post_id, name, ())]
        writes.append(CacheWrite(post_key(post_id), TOP, -1, None))
    return writes


def _parts_of(name: SumName) -> Callable[[KeyTuple, Kept], Iterable[CacheWrite]]:
    return lambda key, kept: [_part_write(key[0], key[1], name, kept)]


def _part_write(post_id: int, source: int, name: str, kept: Kept) -> CacheWrite:
    row = cast(CountRow | None, kept.row)
    return CacheWrite(post_key(post_id), f"{name}/{source}", kept.offset, None if row is None else b"%d" % row.count)


def _account_form(account: AccountRow) -> bytes:
    card = AccountCard(
        id=str(account.account_id),
        username=account.username,
        display_name=account.display_name,
        verified=account.verified,
    )
    return format_account(account.private, account.suspended, account.deleted, card)


def _post_form(post: PostRow) -> bytes:
    body = PostBody(
        id=str(post.post_id),
        status=post.status,
        caption=post.caption,
        hashtags=post.hashtags,
        mentions=post.mentions,
        photographs=_photographs(post),
        location=_place(post),
        created_at=rfc3339(post.created_ms),
        published_at=None if post.published_ms is None else rfc3339(post.published_ms),
        edited=post.edited_ms is not None,
    )
    return format_post(post.owner_id, body)


def _photographs(post: PostRow) -> list[Photograph]:
    alt_texts = dict(zip(post.media_ids, post.alt_texts, strict=False))
    if post.media is None:
        return [Photograph(id=str(media_id), alt=alt_texts.get(media_id) or None) for media_id in post.media_ids]
    return [photograph_of(item, alt_texts.get(item.media_id) or None) for item in _MEDIA.decode(post.media)]


def _place(post: PostRow) -> Place | None:
    if post.location_name is None:
        return None
    return Place(name=post.location_name, latitude=post.location_latitude, longitude=post.location_longitude)


_FORMS: dict[str, Callable[[KeyTuple, Kept], Iterable[CacheWrite]]] = {
    ACCOUNTS.name: lambda key, kept: account_writes(key[0], kept),
    POSTS.name: lambda key, kept: post_writes(key[0], kept),
    PAIRS.name: lambda key, kept: relation_writes(key[0], key[1], cast(PairRow | None, kept.row), kept.offset),
    LIKES.name: lambda key, kept: like_writes(key[0], key[1], kept),
    SAVES.name: lambda key, kept: save_writes(key[0], key[1], kept),
    **STORY_FORMS,
    **TREND_FORMS,
    **{table.name: _parts_of(name) for name, table in SUMS.items()},
}
