"""The comments that may stand on a card: their cached form, and the version that it carries."""

import msgspec

from projections.card_json import AccountCard, TopComment
from projections.cards import TOP, post_key
from projections.comments import CommentCountRow as CountRow
from projections.comments import CommentRow, PostCommentRow
from projections.top_comments import parse_top, top_comment, top_write
from projections.writes import Kept

POST = 90
COUNTS = [Kept(CountRow(post_id=POST, source=2, count=2), 41)]


def decided(comment_id: int, likes: int) -> CommentRow:
    return CommentRow(post_id=POST, comment_id=comment_id, author_id=7, created_ms=0, likes=likes)


def listed(comment_id: int, text: str | None = 'so "nice"') -> PostCommentRow:
    return PostCommentRow(post_id=POST, comment_id=comment_id, author_id=7, text=text, created_ms=1_763_806_540_007)


def test_candidates_come_back_in_their_order_as_the_documented_json() -> None:
    write = top_write(POST, COUNTS, [decided(5, 3), decided(6, 0)], [listed(5), listed(6, None)])
    assert (write.key, write.field, write.version) == (post_key(POST), TOP, 41)
    first, second = parse_top(write.value)
    author = AccountCard(id="7", username="ada", display_name=None, verified=False)
    raw = top_comment(first, msgspec.json.encode(author))
    assert msgspec.json.decode(raw).keys() == set(TopComment.__struct_fields__)
    assert msgspec.json.decode(raw, type=TopComment) == TopComment(
        id="5", text='so "nice"', likes=3, created_at="2025-11-22T10:15:40.007Z", author=author
    )
    assert (second.author_id, msgspec.json.decode(b"{%b}" % second.body)["text"]) == (7, None)


def test_a_comment_that_has_just_gone_is_left_out() -> None:
    write = top_write(POST, COUNTS, [decided(5, 3), decided(6, 0)], [None, listed(6)])
    assert [msgspec.json.decode(b"{%b}" % one.body)["id"] for one in parse_top(write.value)] == ["6"]


def test_a_post_without_comments_is_known_to_have_none() -> None:
    assert (top_write(POST, COUNTS, [], []).value, top_write(POST, [], [], []).version) == (None, -1)
    assert parse_top(None) == []


def test_candidates_of_one_rank_stand_by_their_likes() -> None:
    write = top_write(
        POST, COUNTS, [decided(7, 640), decided(6, 643), decided(5, 643)], [listed(7), listed(6), listed(5)]
    )
    assert [msgspec.json.decode(b"{%b}" % one.body)["id"] for one in parse_top(write.value)] == ["6", "5", "7"]
