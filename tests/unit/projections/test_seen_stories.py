"""Seen stories: who saw what, for as long as it is there."""

from projections.seen_stories import SEEN, SEEN_STORIES, SEEN_STORIES_PROJECTION, SeenStoryRow
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

ENDS_MS = START_MS + 86_400_000


def view(viewer_id: int, story_id: int, published_ms: int = START_MS) -> e.Event:
    return e.StoryViewed(
        viewer_id=viewer_id,
        story_id=story_id,
        owner_id=9,
        at_ms=published_ms + 5,
        published_ms=published_ms,
        expires_ms=ENDS_MS,
    )


def test_what_was_seen_is_listed_by_when_it_was_published() -> None:
    folding = Folding(SEEN_STORIES_PROJECTION).apply(view(1, 30), view(1, 31, START_MS + 7), view(2, 30))
    assert folding.rows(SEEN_STORIES, 1) == [
        SeenStoryRow(viewer_id=1, published_ms=START_MS + 7, story_id=31, expires_ms=ENDS_MS),
        SeenStoryRow(viewer_id=1, published_ms=START_MS, story_id=30, expires_ms=ENDS_MS),
    ]
    assert [row.story_id for row in folding.rows(SEEN_STORIES, 2)] == [30]


def test_seeing_it_again_changes_nothing() -> None:
    folding = Folding(SEEN_STORIES_PROJECTION).apply(view(1, 30), view(1, 30), view(1, 30))
    assert len(folding.rows(SEEN_STORIES, 1)) == 1
    assert folding.row(SEEN.key(1, 30)) is not None
