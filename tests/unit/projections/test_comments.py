"""Comments and replies: lists, membership, counts and places by likes."""

from projections.comments import (
    COMMENT_COUNTS,
    COMMENTS,
    COMMENTS_BY_POST,
    COMMENTS_PROJECTION,
    RANKED_COMMENTS,
    REPLIES,
    REPLY_COUNTS,
    PostCommentRow,
    ReplyRow,
    rank_of,
)
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding, at_once

POST, OTHER_POST, ANNA = 90, 91, 11


def write(comment_id: int, text: str | None = "nice") -> e.Event:
    return e.CommentCreated(comment_id=comment_id, post_id=POST, author_id=ANNA, text=text)


def delete(comment_id: int, post_id: int = POST) -> e.Event:
    return e.CommentDeleted(comment_id=comment_id, post_id=post_id, deleted_by=ANNA)


def listed(folding: Folding) -> list[int]:
    return [row.comment_id for row in folding.rows(COMMENTS_BY_POST, POST)]


def count(folding: Folding) -> int:
    return sum(row.count for row in folding.rows(COMMENT_COUNTS, POST))


def test_comments_stand_newest_first_with_their_text() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), write(6, "so nice"))
    assert listed(folding) == [6, 5]
    assert folding.rows(COMMENTS_BY_POST, POST)[0] == PostCommentRow(
        post_id=POST, comment_id=6, author_id=ANNA, text="so nice", created_ms=START_MS + 1_000
    )
    assert count(folding) == 2


def test_a_comment_is_created_once() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5, "first"), write(5, "second"))
    assert [row.text for row in folding.rows(COMMENTS_BY_POST, POST)] == ["first"]
    assert count(folding) == 1


def test_a_deleted_comment_leaves_list_and_count() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), write(6), delete(5), delete(5))
    assert listed(folding) == [6]
    assert count(folding) == 1
    assert folding.row(COMMENTS.key(POST, 5)) is None


def test_deleting_an_unknown_comment_changes_nothing() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(delete(4), write(5))
    assert (listed(folding), count(folding)) == ([5], 1)


def test_a_deletion_that_names_another_post_leaves_the_comment() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), delete(5, post_id=OTHER_POST))
    assert (listed(folding), count(folding)) == ([5], 1)
    assert folding.rows(COMMENT_COUNTS, OTHER_POST) == []


def test_the_comment_of_an_erased_person_has_no_text() -> None:
    assert [row.text for row in Folding(COMMENTS_PROJECTION).apply(write(5, None)).rows(COMMENTS_BY_POST, POST)] == [
        None
    ]


def reply(comment_id: int, parent_id: int = 5) -> e.Event:
    return e.CommentCreated(
        comment_id=comment_id, post_id=POST, author_id=ANNA, text="so true", parent_id=parent_id, answered_id=12
    )


def reply_gone(comment_id: int, parent_id: int | None = 5) -> e.Event:
    return e.CommentDeleted(comment_id=comment_id, post_id=POST, deleted_by=ANNA, parent_id=parent_id)


def liked(comment_id: int, count: int, version: int, source: int = 0) -> e.Event:
    return e.CommentLikesCounted(comment_id=comment_id, post_id=POST, source=source, version=version, count=count)


def ranked(folding: Folding) -> list[tuple[int, int]]:
    return [(row.comment_id, row.rank) for row in folding.rows(RANKED_COMMENTS, POST)]


def replies(folding: Folding) -> tuple[list[int], int]:
    row = folding.row(REPLY_COUNTS.key(POST, 5))
    return [row.comment_id for row in folding.rows(REPLIES, POST, 5)], row.count if row else 0


def test_replies_stand_oldest_first_under_their_comment_and_count() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), reply(7), reply(8))
    assert (listed(folding), replies(folding), count(folding)) == ([5], ([7, 8], 2), 3)
    assert folding.rows(REPLIES, POST, 5)[0] == ReplyRow(
        post_id=POST,
        parent_id=5,
        comment_id=7,
        author_id=ANNA,
        answered_id=12,
        text="so true",
        created_ms=START_MS + 1_000,
    )


def test_a_deleted_reply_leaves_list_and_counts() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), reply(7), reply(8), reply_gone(7), reply_gone(7))
    assert (replies(folding), count(folding)) == (([8], 1), 2)


def test_a_deletion_that_names_another_parent_leaves_the_comment() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), reply(7), reply_gone(7, None), reply_gone(7, 6), delete(7))
    assert (replies(folding), count(folding)) == (([7], 1), 2)


def test_likes_of_all_sources_make_a_comments_place() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), write(6), write(7))
    folding.apply(liked(5, 2, version=10), liked(6, 1, version=3), liked(6, 2, version=4, source=1))
    assert ranked(folding) == [(6, 3), (5, 2), (7, 0)]
    folding.apply(liked(6, 0, version=9, source=1))
    assert ranked(folding) == [(5, 2), (6, 1), (7, 0)]


def test_an_older_count_of_likes_changes_nothing() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), liked(5, 4, version=10), liked(5, 3, version=9))
    assert ranked(folding) == [(5, 4)]


def test_a_viral_comment_moves_seldom() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5))
    places = set()
    for count in range(0, 100_000, 37):
        folding.apply(liked(5, count, version=count))
        places |= {rank for _, rank in ranked(folding)}
        assert len(ranked(folding)) == 1
    assert len(places) < 450
    row = folding.row(COMMENTS.key(POST, 5))
    assert row is not None
    assert row.likes == count


def test_ranks_are_exact_where_likes_are_few_and_near_where_they_are_many() -> None:
    assert [rank_of(likes) for likes in range(64)] == list(range(64))
    for likes in range(64, 20_000):
        assert 0 <= likes - rank_of(likes) <= likes // 32
        assert rank_of(likes) >= rank_of(likes - 1)


def test_replies_and_what_is_gone_have_no_place() -> None:
    folding = Folding(COMMENTS_PROJECTION).apply(write(5), write(6), reply(7), liked(7, 3, version=1), delete(6))
    folding.apply(liked(6, 9, version=2))
    assert ranked(folding) == [(5, 0)]
    row = folding.row(COMMENTS.key(POST, 7))
    assert row is not None
    assert row.likes == 3


def test_whatever_changes_what_is_shown_of_comments_moves_the_version() -> None:
    folding = Folding(COMMENTS_PROJECTION)
    versions = []
    for event in (write(5), reply(7), liked(5, 1, version=1), reply_gone(7), delete(5)):
        folding.apply(event)
        versions.append(at_once(folding.store.scan_kept(COMMENT_COUNTS, (POST,), limit=1))[0].offset)
    assert versions == [0, 1, 2, 3, 4]
