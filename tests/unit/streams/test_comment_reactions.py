"""What follows from comments and their likes: counts under the post's key, and replies that go with their comment."""

from typing import Any

import msgspec
import pytest

from projections.cards import TOP, post_key
from projections.comments import COMMENT_COUNTS, COMMENTS, RANKED_COMMENTS, REPLIES, REPLY_COUNTS, rank_of
from projections.top_comments import TOP_CANDIDATES, parse_top
from schemas import events as e
from streams import comment_reactions
from tests.unit.streams.river import River
from tests.unit.streams.scenario import ANNA, BERT, CARL, DORA, EMIL, PEOPLE, comment, comment_gone, comment_liked

POST = 101


async def count(river: River) -> int:
    return sum(row.count for row in await river.rows.scan(COMMENT_COUNTS, (POST,), limit=10))


async def ranked(river: River) -> list[tuple[int, int]]:
    return [(row.comment_id, row.rank) for row in await river.rows.scan(RANKED_COMMENTS, (POST,), limit=100)]


async def top(river: River) -> list[tuple[Any, Any]]:
    """(comment, likes) of the card's candidates, as they are cached."""
    ((value,),) = await river.cache.read([(post_key(POST), (TOP,))])
    bodies = [msgspec.json.decode(b"{%b}" % candidate.body) for candidate in parse_top(value)]
    return [(int(body["id"]), body["likes"]) for body in bodies]


async def test_comments_stand_by_likes_and_then_newest_first() -> None:
    river = River()
    river.append(comment(1, ANNA), comment(2, BERT), comment(3, CARL), comment(4, DORA))
    river.append(*(comment_liked(person, 2) for person in PEOPLE), comment_liked(ANNA, 1), comment_liked(BERT, 1))
    await river.pump()
    assert await ranked(river) == [(2, 5), (1, 2), (4, 0), (3, 0)] == await top(river)
    river.append(*(e.CommentUnliked(actor_id=person, comment_id=2, post_id=POST) for person in PEOPLE))
    await river.pump()
    assert await ranked(river) == [(1, 2), (4, 0), (3, 0), (2, 0)] == await top(river)


async def test_likes_of_many_people_are_told_once_for_each_batch() -> None:
    river = River()
    river.append(comment(1, ANNA))
    river.append(*(comment_liked(actor_id, 1) for actor_id in range(1_000, 1_100)))
    await river.pump(batch_records=100)
    told = [record for record in river.log.of("comments") if record.header("ce_type") == b"comment.likes_counted"]
    assert len(told) == 4, "one for each partition of the likes"
    assert await ranked(river) == [(1, rank_of(100))]
    assert await top(river) == [(1, 100)]


async def test_a_card_has_a_bounded_number_of_candidates() -> None:
    river = River()
    river.append(*(comment(number, ANNA) for number in range(1, TOP_CANDIDATES + 5)))
    await river.pump()
    assert await top(river) == [(number, 0) for number in range(TOP_CANDIDATES + 4, 4, -1)]


@pytest.mark.parametrize("batch_records", [1, 2, 100])
async def test_replies_go_with_what_they_hang_under(batch_records: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comment_reactions, "_REPLIES_AT_ONCE", 2)
    river = River()
    river.append(comment(1, ANNA), comment(2, ANNA), comment(12, BERT, parent_id=2))
    river.append(*(comment(number, BERT, parent_id=1) for number in range(101, 106)))
    await river.pump(batch_records)
    assert await count(river) == 8
    river.append(comment_gone(103, BERT, parent_id=1), comment_gone(1, ANNA), comment(106, EMIL, parent_id=1))
    await river.pump(batch_records)
    assert await count(river) == 2
    assert await river.rows.scan(REPLIES, (POST, 1), limit=10) == []
    assert (await river.rows.get(REPLY_COUNTS.key(POST, 1))).count == 0
    assert await river.rows.get(COMMENTS.key(POST, 106)) is None
    assert [row.comment_id for row in await river.rows.scan(REPLIES, (POST, 2), limit=10)] == [12]


async def test_deleting_a_reply_leaves_the_others() -> None:
    river = River()
    river.append(comment(1, ANNA), comment(11, BERT, parent_id=1), comment(12, CARL, parent_id=1))
    river.append(comment_gone(11, BERT, parent_id=1))
    await river.pump()
    assert await count(river) == 2
    assert [row.comment_id for row in await river.rows.scan(REPLIES, (POST, 1), limit=10)] == [12]
