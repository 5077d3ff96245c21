"""Stories: their life, and where they are listed meanwhile."""

import pytest

from projections.stories import LIVE_STORIES, MEDIA_STORIES, STORIES, STORIES_BY_OWNER, STORIES_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

OWNER, STORY, MEDIUM = 7, 70, 700
ENDS_MS = START_MS + 86_400_000


def created(story_id: int = STORY, audience: e.StoryAudience = "everyone") -> e.Event:
    return e.StoryCreated(story_id=story_id, owner_id=OWNER, media_id=MEDIUM, audience=audience, alt_text="a view")


def published(story_id: int = STORY, owner_id: int = OWNER, expires_ms: int = ENDS_MS) -> e.Event:
    media = e.MediaItem(media_id=MEDIUM, width=64, height=40, variants=["w320.jpeg"])
    return e.StoryPublished(
        story_id=story_id, owner_id=owner_id, published_ms=START_MS, expires_ms=expires_ms, media=media
    )


def deleted(taken_down: e.HouseRule | None = None) -> e.Event:
    return e.StoryDeleted(story_id=STORY, owner_id=OWNER, taken_down=taken_down)


def status(folding: Folding) -> str:
    row = folding.row(STORIES.key(STORY))
    return "absent" if row is None else row.status


def test_a_story_waits_in_its_owners_archive_until_it_is_published() -> None:
    folding = Folding(STORIES_PROJECTION).apply(created())
    assert status(folding) == "processing"
    assert [row.status for row in folding.rows(STORIES_BY_OWNER, OWNER)] == ["processing"]
    assert folding.rows(LIVE_STORIES, OWNER) == []
    assert [row.story_id for row in folding.rows(MEDIA_STORIES, MEDIUM)] == [STORY]


def test_what_is_published_is_listed_by_its_end() -> None:
    folding = Folding(STORIES_PROJECTION).apply(
        created(), created(71), published(), published(71, expires_ms=ENDS_MS - 1)
    )
    assert [row.story_id for row in folding.rows(LIVE_STORIES, OWNER)] == [71, STORY]
    row = folding.row(STORIES.key(STORY))
    assert row is not None
    assert [row.is_live(at_ms) for at_ms in (START_MS, ENDS_MS - 1, ENDS_MS)] == [True, True, False]


def test_a_rejected_story_is_never_published() -> None:
    rejected = e.StoryRejected(story_id=STORY, owner_id=OWNER, media_id=MEDIUM, reason="not-an-image")
    folding = Folding(STORIES_PROJECTION).apply(created(), rejected, published())
    assert status(folding) == "rejected"
    assert folding.rows(LIVE_STORIES, OWNER) == []


@pytest.mark.parametrize("rule", [None, "spam"])
def test_a_deleted_story_is_in_no_list_and_keeps_no_words(rule: e.HouseRule | None) -> None:
    folding = Folding(STORIES_PROJECTION).apply(created(), published(), deleted(rule), published())
    row = folding.row(STORIES.key(STORY))
    assert row is not None
    assert (row.status, row.alt_text, row.is_taken_down) == ("deleted", None, rule is not None)
    assert folding.rows(LIVE_STORIES, OWNER) == []
    assert folding.rows(STORIES_BY_OWNER, OWNER) == []
    assert folding.rows(MEDIA_STORIES, MEDIUM) == []


def test_anothers_event_and_one_of_an_unknown_story_change_nothing() -> None:
    folding = Folding(STORIES_PROJECTION).apply(published(), created(), published(owner_id=OWNER + 1))
    assert status(folding) == "processing"
