"""Cards: rows become cached pieces, and the pieces a page stitches are exactly the documented JSON."""

from typing import Any

import msgspec
import pytest

from projections.accounts import ACCOUNTS, AccountRow
from projections.card_json import (
    AccountCard,
    CachedCounts,
    Counts,
    Photograph,
    Place,
    PostCard,
    parse_account,
    parse_post,
    stitched,
)
from projections.cards import (
    account_key,
    account_standing,
    account_writes,
    cache_writes,
    likes_key,
    post_key,
    post_writes,
    sum_writes,
)
from projections.comments import COMMENT_COUNTS, CommentCountRow
from projections.graph import FOLLOWINGS, PAIRS, PairRow
from projections.likes import LIKE_COUNTS, LIKES, LikeCountRow, LikeRow
from projections.posts import POSTS, PostRow
from projections.relations import relations_key
from projections.writes import ABSENT, Kept
from schemas.events import MediaItem

ACCOUNT = AccountRow(
    account_id=7, username="ada", display_name='Ada "the" L\n', bio="b", private=False, suspended=False, created_ms=0
)
POST = PostRow(
    post_id=11,
    owner_id=7,
    status="published",
    caption="sunrise 🌅\nover the {hill}",
    mentions=["grace"],
    hashtags=["sky"],
    alt_texts=["a hill", ""],
    location_name="Jena",
    location_latitude=50.9,
    location_longitude=None,
    audience="public",
    media_ids=[21, 22],
    media=msgspec.json.encode(
        [
            MediaItem(media_id=media_id, width=640, height=480, variants=["w320.jpeg"], blurhash=blurhash)
            for media_id, blurhash in ((21, "LKO2"), (22, ""))
        ]
    ),
    delivery="push",
    created_ms=1_763_806_540_007,
    published_ms=1_763_806_541_999,
    edited_ms=None,
    rejection=None,
)


def changed(row: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(row, **fields)


def card_of(post: PostRow, account: AccountRow = ACCOUNT, liked: bool = True, viewer_id: int = 8) -> PostCard:
    (account_write,) = account_writes(account.account_id, Kept(account, 1))
    (post_write,) = post_writes(post.post_id, Kept(post, 1))
    assert account_write.value is not None
    assert post_write.value is not None
    author = parse_account(7, account_write.value).card
    counts = CachedCounts(b"3", b"0", b"2", b"1")
    raw = stitched(parse_post(post_write.value), author, counts, viewer_id, liked, False, [])
    # Strictly: a field that the documented type does not have would be a lie in the documentation.
    assert msgspec.json.decode(raw).keys() == set(PostCard.__struct_fields__)
    return msgspec.json.decode(raw, type=PostCard)


def test_a_card_shows_post_author_counts_and_viewer() -> None:
    card = card_of(POST)
    assert card.author == AccountCard(id="7", username="ada", display_name='Ada "the" L\n', verified=False)
    assert card_of(POST, changed(ACCOUNT, verified=True)).author.verified
    assert (card.id, card.caption, card.hashtags, card.mentions) == ("11", POST.caption, ["sky"], ["grace"])
    assert card.counts == Counts(likes=3, comments=0, shares=2, saves=None)
    assert (card.viewer.liked, card.viewer.saved, card.top_comments) == (True, False, [])
    assert (card.created_at, card.published_at) == ("2025-11-22T10:15:40.007Z", "2025-11-22T10:15:41.999Z")
    assert card.location == Place(name="Jena", latitude=50.9, longitude=None)
    assert card.photographs[0] == Photograph(
        id="21", alt="a hill", width=640, height=480, blurhash="LKO2", variants={"w320.jpeg": "/v1/media/21/w320.jpeg"}
    )
    assert (card.photographs[1].alt, card.photographs[1].blurhash) == (None, None)
    assert not card.edited


def test_how_often_a_post_was_saved_is_for_its_author_alone() -> None:
    assert [card_of(POST, viewer_id=viewer).counts.saves for viewer in (7, 8)] == [1, None]


def test_a_processing_post_shows_its_photographs_without_files() -> None:
    card = card_of(changed(POST, status="processing", media=None, published_ms=None))
    assert (card.status, card.published_at) == ("processing", None)
    assert [(item.id, item.alt, item.variants) for item in card.photographs] == [("21", "a hill", {}), ("22", None, {})]


def test_an_erased_post_and_author_still_make_a_card() -> None:
    post = changed(POST, caption=None, mentions=[], alt_texts=[], location_name=None)
    card = card_of(post, changed(ACCOUNT, username=None, display_name=None), liked=False)
    assert (card.caption, card.location, card.author.username, card.viewer.liked) == (None, None, None, False)
    assert [item.alt for item in card.photographs] == [None, None]


def test_an_edited_post_says_so() -> None:
    assert card_of(changed(POST, edited_ms=9)).edited


@pytest.mark.parametrize("status", ["processing", "published", "rejected", "deleted"])
def test_a_rule_sees_status_and_owner_without_parsing(status: str) -> None:
    (write,) = post_writes(11, Kept(changed(POST, status=status), 4))
    assert write.value is not None
    opened = parse_post(write.value)
    assert (opened.status, opened.owner_id) == (status, 7)


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("standing", ["active", "suspended", "deleted"])
def test_a_rule_sees_privacy_and_standing_without_parsing(private: bool, standing: str) -> None:
    suspended, deleted = standing == "suspended", standing == "deleted"
    row = changed(ACCOUNT, private=private, suspended=suspended, deleted=deleted)
    (write,) = account_writes(7, Kept(row, 4))
    assert write.value is not None
    opened = parse_account(7, write.value)
    assert (opened.private, opened.suspended, opened.deleted) == (private, suspended, deleted)
    assert account_standing(write.value) == standing
    assert account_standing(None) == "active"


def test_every_form_carries_its_rows_place_and_offset() -> None:
    pair = PairRow(low_id=7, high_id=9, low_follows="active")
    cases = [
        (ACCOUNTS.key(7), Kept(ACCOUNT, 3), [account_key(7)]),
        (POSTS.key(11), Kept(POST, 3), [(post_key(11), "card")]),
        (PAIRS.key(7, 9), Kept(pair, 3), [(relations_key(7), "9"), (relations_key(9), "7")]),
        (LIKES.key(7, 11), Kept(LikeRow(actor_id=7, post_id=11, liked_ms=0), 3), [(likes_key(7), "11")]),
        (LIKE_COUNTS.key(11, 2), Kept(LikeCountRow(post_id=11, source=2, count=5), 3), [(post_key(11), "likes/2")]),
        (
            COMMENT_COUNTS.key(11, 0),
            Kept(CommentCountRow(post_id=11, source=0, count=5), 3),
            [(post_key(11), "comments/0")],
        ),
    ]
    for key, kept, places in cases:
        writes = cache_writes(key, kept)
        assert [(write.key, write.field) for write in writes] == places
        assert {write.version for write in writes} == {3}
        assert all(write.value for write in writes)
        for write in cache_writes(key, ABSENT):
            assert (write.version, write.value) == (-1, None)


def test_an_entry_shares_the_slot_of_its_owner() -> None:
    keys = [account_key(7)[0], relations_key(7), likes_key(7)]
    assert len({key[key.index("{") : key.index("}")] for key in keys}) == 1


def test_rows_that_no_card_shows_have_no_form() -> None:
    assert cache_writes(FOLLOWINGS.key(1, 2, 3), ABSENT) == []


def test_a_whole_count_says_that_all_its_parts_are_there() -> None:
    parts = [Kept(LikeCountRow(post_id=11, source=source, count=source + 1), 40 + source) for source in (0, 3)]
    writes = sum_writes(11, "likes", parts)
    assert [(write.field, write.version, write.value) for write in writes] == [
        ("likes/0", 40, b"1"),
        ("likes/3", 43, b"4"),
        ("likes/*", 0, None),
    ]
    assert [write.field for write in sum_writes(11, "comments", [])] == ["comments/*"]
