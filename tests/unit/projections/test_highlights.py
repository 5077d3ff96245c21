"""Highlights: what was saved last is there, until it is deleted."""

import msgspec

from projections.highlights import HIGHLIGHTED_STORIES, HIGHLIGHTS, HIGHLIGHTS_BY_OWNER, HIGHLIGHTS_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import Folding


def saved(highlight_id: int, title: str = "summer", owner_id: int = 1) -> e.Event:
    return e.HighlightSaved(highlight_id=highlight_id, owner_id=owner_id, title=title, story_ids=[7, 8])


def deleted(highlight_id: int, owner_id: int = 1) -> e.Event:
    return e.HighlightDeleted(highlight_id=highlight_id, owner_id=owner_id)


def listed(folding: Folding) -> list[int]:
    return [row.highlight_id for row in folding.rows(HIGHLIGHTS_BY_OWNER, 1)]


def test_the_newest_comes_first_and_a_change_leaves_its_place() -> None:
    folding = Folding(HIGHLIGHTS_PROJECTION).apply(saved(5), saved(6), saved(5, "winter"), saved(7, owner_id=2))
    assert listed(folding) == [6, 5]
    row = folding.row(HIGHLIGHTS.key(5))
    assert row is not None
    assert (row.title, row.story_ids) == ("winter", [7, 8])
    assert row.created_ms < row.saved_ms


def test_each_story_tells_in_which_it_is() -> None:
    def holding(story_id: int) -> list[int]:
        return [row.highlight_id for row in folding.rows(HIGHLIGHTED_STORIES, story_id)]

    folding = Folding(HIGHLIGHTS_PROJECTION).apply(saved(5), saved(6))
    assert [holding(story_id) for story_id in (7, 8, 9)] == [[5, 6], [5, 6], []]
    folding.apply(msgspec.structs.replace(saved(5), story_ids=[9, 8]), saved(6, owner_id=2))
    assert [holding(story_id) for story_id in (7, 8, 9)] == [[6], [5, 6], [5]]
    folding.apply(deleted(5), deleted(6, 2))
    assert [holding(story_id) for story_id in (7, 8, 9)] == [[6], [6], []]


def test_only_its_owner_changes_or_deletes_one() -> None:
    folding = Folding(HIGHLIGHTS_PROJECTION).apply(saved(5), saved(6), saved(5, "theirs", 2), deleted(6, 2))
    assert listed(folding) == [6, 5]
    row = folding.row(HIGHLIGHTS.key(5))
    assert row is not None
    assert row.title == "summer"


def test_what_is_deleted_is_in_neither() -> None:
    folding = Folding(HIGHLIGHTS_PROJECTION).apply(saved(5), saved(6), deleted(5), deleted(9))
    assert listed(folding) == [6]
    assert folding.row(HIGHLIGHTS.key(5)) is None
