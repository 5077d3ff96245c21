"""Story views: a count that never goes back, and viewers that are each listed once."""

from projections.story_views import KEPT_MS, STORY_VIEWERS, STORY_VIEWS, STORY_VIEWS_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

STORY = 70
ENDS_MS = START_MS + 86_400_000


def told(viewer_id: int, views: int, viewed_ms: int = START_MS, story_id: int = STORY) -> e.Event:
    return e.StoryViewCounted(
        story_id=story_id, owner_id=9, viewer_id=viewer_id, viewed_ms=viewed_ms, views=views, expires_ms=ENDS_MS
    )


def count(folding: Folding) -> int | None:
    row = folding.row(STORY_VIEWS.key(STORY))
    return None if row is None else row.views


def listed(folding: Folding) -> list[int]:
    return [row.viewer_id for row in folding.rows(STORY_VIEWERS, STORY)]


def test_the_last_viewer_is_the_first_in_the_list() -> None:
    folding = Folding(STORY_VIEWS_PROJECTION).apply(told(1, 1, 10), told(2, 2, 30), told(3, 3, 20))
    assert (count(folding), listed(folding)) == (3, [2, 3, 1])


def test_what_is_told_again_after_a_crash_changes_neither_list_nor_count() -> None:
    folding = Folding(STORY_VIEWS_PROJECTION).apply(told(1, 1, 10), told(2, 2, 20), told(3, 3, 30))
    folding.apply(told(2, 1, 90), told(1, 2, 95))
    assert (count(folding), listed(folding)) == (3, [3, 2, 1])


def test_a_count_that_is_told_by_a_known_viewer_is_taken_all_the_same() -> None:
    folding = Folding(STORY_VIEWS_PROJECTION).apply(told(1, 1), told(1, 5))
    assert (count(folding), listed(folding)) == (5, [1])


def test_stories_are_counted_apart_and_kept_for_a_day_after_their_end() -> None:
    folding = Folding(STORY_VIEWS_PROJECTION).apply(told(1, 1), told(1, 4, story_id=STORY + 1))
    row = folding.row(STORY_VIEWS.key(STORY))
    assert row is not None
    assert (row.views, row.expires_ms) == (1, ENDS_MS + KEPT_MS)
    assert [row.expires_ms for row in folding.rows(STORY_VIEWERS, STORY)] == [ENDS_MS + KEPT_MS]
