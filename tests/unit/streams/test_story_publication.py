"""A story is shown once its media is ready and allowed, for its life from then on, whichever of the two comes last."""

import msgspec
import pytest

from projections.media import MEDIA, MediaRow
from projections.stories import LIVE_STORIES, STORIES, StoryRow
from schemas import events as e
from streams.story_publication import CLIP_MS_MAX, TOO_LONG, story_publication
from tests.unit.streams.river import NOW_MS, River

LIFE_MS = 86_400_000
STORY = StoryRow(
    story_id=5, owner_id=7, status="processing", media_id=9, audience="everyone", alt_text=None, media=None,
    created_ms=1, published_ms=None, expires_ms=None, rejection=None,
)  # fmt: skip


def completed(
    *, kind: e.MediaKind = "photo", duration_ms: int = 0, pending: bool = False
) -> e.MediaTranscodingCompleted:
    variant = e.MediaVariant(
        name="w640.jpg", content_type="image/jpeg", width=640, height=480, size_bytes=9, object_key="p/9"
    )
    return e.MediaTranscodingCompleted(
        media_id=9, owner_id=7, width=640, height=480, variants=[variant], kind=kind, duration_ms=duration_ms,
        purpose="story", moderation="pending" if pending else "none",
    )  # fmt: skip


async def medium(*events: e.Event) -> MediaRow:
    river = River()
    river.append(*events)
    await river.pump()
    row: MediaRow | None = await river.rows.get(MEDIA.key(9))
    assert row is not None
    return row


async def test_it_is_published_once_its_media_is_there() -> None:
    told = story_publication(STORY, await medium(completed()), 1_000, LIFE_MS)
    assert isinstance(told, e.StoryPublished)
    assert (told.published_ms, told.expires_ms) == (1_000, 1_000 + LIFE_MS)
    assert told.media.media_id == 9


async def test_it_waits_for_media_and_verdict_and_is_decided_once() -> None:
    assert story_publication(STORY, None, 1_000, LIFE_MS) is None
    assert story_publication(STORY, await medium(completed(pending=True)), 1_000, LIFE_MS) is None
    published = msgspec.structs.replace(STORY, status="published")
    assert story_publication(published, await medium(completed()), 1_000, LIFE_MS) is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (e.MediaTranscodingFailed(media_id=9, owner_id=7, reason="no-image", detail=""), "no-image"),
        (completed(kind="voice"), "voice-note"),
        (completed(kind="video", duration_ms=CLIP_MS_MAX + 1_000), TOO_LONG),
    ],
)
async def test_what_can_not_be_shown_is_rejected_with_the_reason(event: e.Event, reason: str) -> None:
    told = story_publication(STORY, await medium(event), 1_000, LIFE_MS)
    assert isinstance(told, e.StoryRejected)
    assert told.reason == reason


async def test_a_clip_of_fifteen_seconds_is_shown() -> None:
    told = story_publication(STORY, await medium(completed(kind="video", duration_ms=CLIP_MS_MAX)), 1, LIFE_MS)
    assert isinstance(told, e.StoryPublished)


@pytest.mark.parametrize("media_first", [True, False])
async def test_whichever_job_comes_last_decides(media_first: bool) -> None:
    river = River()
    created = e.StoryCreated(story_id=5, owner_id=7, media_id=9, audience="everyone", alt_text="words")
    for event in (completed(), created) if media_first else (created, completed()):
        river.append(event)
        await river.pump()
    story = await river.rows.get(STORIES.key(5))
    assert story is not None
    assert (story.status, story.published_ms, story.expires_ms) == ("published", NOW_MS, NOW_MS + LIFE_MS)
    assert [row.story_id for row in await river.rows.scan(LIVE_STORIES, (7,), limit=9)] == [5]


async def test_a_clock_that_was_set_back_publishes_nothing_that_is_over() -> None:
    river = River(clock_ms=lambda: NOW_MS - 3 * LIFE_MS)
    river.append(completed(), e.StoryCreated(story_id=5, owner_id=7, media_id=9, audience="everyone", alt_text=None))
    await river.pump()
    story = await river.rows.get(STORIES.key(5))
    assert story is not None
    assert story.expires_ms == NOW_MS + LIFE_MS
