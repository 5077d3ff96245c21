"""Comments: list, membership and counts."""

from projections.comments import COMMENT_COUNTS, COMMENTS, COMMENTS_BY_POST, COMMENTS_PROJECTION, PostCommentRow
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

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
