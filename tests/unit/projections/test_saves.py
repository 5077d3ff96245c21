"""Saves: membership, list and counts."""

from projections.saves import SAVE_COUNTS, SAVED_POSTS, SAVES, SAVES_PROJECTION, SavedPostRow
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

ANNA, POST, OTHER_POST, OWNER = 11, 90, 91, 7


def save(post_id: int = POST, actor_id: int = ANNA) -> e.Event:
    return e.PostSaved(actor_id=actor_id, post_id=post_id, owner_id=OWNER)


def unsave(post_id: int = POST, actor_id: int = ANNA) -> e.Event:
    return e.PostUnsaved(actor_id=actor_id, post_id=post_id)


def saved(folding: Folding) -> list[int]:
    return [row.post_id for row in folding.rows(SAVED_POSTS, ANNA)]


def count(folding: Folding, post_id: int = POST) -> int:
    return sum(row.count for row in folding.rows(SAVE_COUNTS, post_id))


def test_saved_posts_stand_newest_first_with_their_author() -> None:
    folding = Folding(SAVES_PROJECTION).apply(save(), save(OTHER_POST))
    assert folding.rows(SAVED_POSTS, ANNA) == [
        SavedPostRow(actor_id=ANNA, saved_ms=START_MS + 1_000, post_id=OTHER_POST, owner_id=OWNER),
        SavedPostRow(actor_id=ANNA, saved_ms=START_MS, post_id=POST, owner_id=OWNER),
    ]
    assert (count(folding), count(folding, OTHER_POST)) == (1, 1)


def test_saving_again_counts_once_and_keeps_its_place() -> None:
    folding = Folding(SAVES_PROJECTION).apply(save(), save(OTHER_POST), save())
    assert (saved(folding), count(folding)) == ([OTHER_POST, POST], 1)


def test_an_unsaved_post_leaves_list_and_count() -> None:
    folding = Folding(SAVES_PROJECTION).apply(save(), save(actor_id=12), unsave(), unsave())
    assert (saved(folding), count(folding)) == ([], 1)
    assert folding.row(SAVES.key(ANNA, POST)) is None


def test_a_post_that_is_saved_again_stands_first() -> None:
    folding = Folding(SAVES_PROJECTION).apply(save(), save(OTHER_POST), unsave(), save())
    assert (saved(folding), count(folding)) == ([POST, OTHER_POST], 1)
