"""Stories: copied, named by the row, and only then deleted where they were, whoever dies in between."""

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from keeper.archiving import SHOWN_SECONDS_MAX, shown_seconds
from photolog.media.files import archive_prefix
from photolog.media.originals import content_prefix, original_key, raw_key
from photolog.settings import LimitSettings
from schemas import events as e
from tests.unit.keeper.world import ANNA, GRACE_SECONDS, READING_SECONDS, STORY_SECONDS, World, spin
from tests.unit.streams.scenario import account


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.end()


async def test_a_story_that_is_over_lies_in_the_archive_and_is_ready_still(world: World) -> None:
    world.upload(501, "story")
    await world.work()
    await world.advance(GRACE_SECONDS - 1)
    world.tell(101, 501)
    await world.work()
    await world.advance(STORY_SECONDS - 1)
    await world.work()
    assert await world.named(501) == [f"{content_prefix(501)}w320.jpeg"], "its day began when it was published"
    await world.advance(1)
    await world.work()
    assert await world.named(501) == [f"{archive_prefix(501)}w320.jpeg"]
    assert len(world.objects.under(content_prefix(501))) == 1, "somebody may be reading by the row of before"
    await world.advance(READING_SECONDS)
    await world.work()
    assert world.objects.under(content_prefix(501)) == []
    assert await world.status(501) == "ready"
    await world.settle(20)
    assert (await world.status(501), await world.story_status(101)) == ("ready", "published"), "its owner's archive"


async def test_of_two_stories_the_one_that_ends_last_decides_when_their_files_move(world: World) -> None:
    world.upload(501, "story")
    world.tell(101, 501)
    await world.work()
    await world.advance(STORY_SECONDS / 2)
    world.tell(102, 501)
    await world.work()
    await world.advance(STORY_SECONDS / 2)
    await world.work()
    assert await world.named(501) == [f"{content_prefix(501)}w320.jpeg"]
    world.take_back(102)
    await world.work()
    await world.advance(STORY_SECONDS / 2)
    await world.work()
    assert await world.named(501) == [f"{archive_prefix(501)}w320.jpeg"], "the first is in its owner's archive still"


async def test_each_story_ends_when_its_own_event_says_so(world: World) -> None:
    """Also where the setting has changed since."""
    world.upload(501, "story")
    world.append(
        e.StoryCreated(story_id=101, owner_id=ANNA, media_id=501, audience="everyone", alt_text=None),
        e.StoryPublished(
            story_id=101,
            owner_id=ANNA,
            published_ms=world.now_ms,
            expires_ms=world.now_ms + 5_000,
            media=e.MediaItem(media_id=501, width=640, height=400, variants=["w320.jpeg"]),
        ),
    )
    await world.work()
    await world.advance(4)
    await world.work()
    assert await world.named(501) == [f"{content_prefix(501)}w320.jpeg"]
    await world.advance(1)
    await world.work()
    assert await world.named(501) == [f"{archive_prefix(501)}w320.jpeg"]


def test_a_story_is_waited_for_as_long_as_one_may_be_shown_and_no_longer() -> None:
    """One of which the log says that it is shown for a year holds nothing up for longer than a week."""
    media = e.MediaItem(media_id=501, width=640, height=400, variants=[])
    told = e.StoryPublished(story_id=101, owner_id=ANNA, published_ms=0, expires_ms=365 * 86_400_000, media=media)
    assert shown_seconds(told) == SHOWN_SECONDS_MAX
    assert LimitSettings(story_life_seconds=SHOWN_SECONDS_MAX).story_life_seconds == SHOWN_SECONDS_MAX
    with pytest.raises(ValidationError):
        LimitSettings(story_life_seconds=SHOWN_SECONDS_MAX + 1)


async def test_a_story_that_was_deleted_is_not_archived_but_collected(world: World) -> None:
    world.upload(501, "story")
    world.tell(101, 501)
    await world.work()
    await world.advance(STORY_SECONDS - 1)
    world.take_back(101)
    await world.work()
    await world.advance(1)
    await world.work()
    assert world.objects.under(archive_prefix(501)) == []
    await world.settle()
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_an_archived_story_that_is_deleted_leaves_nothing(world: World) -> None:
    await world.share(501, 502, purpose="story")
    for story_id, media_id in ((101, 501), (102, 502)):
        world.tell(story_id, media_id)
    await world.settle()
    assert len(world.objects.under("archive/")) == 4
    for story_id in (101, 102):
        world.take_back(story_id)
    await world.settle()
    assert world.objects.objects == {}
    assert world.contents.rows == {}


async def test_what_is_no_story_stays_where_it_is(world: World) -> None:
    world.upload(501)
    world.post(101, 501)
    await world.settle()
    assert await world.named(501) == [f"{content_prefix(501)}w320.jpeg"]


async def test_a_voice_note_is_not_collected(world: World) -> None:
    world.upload(501, "voice")
    await world.settle()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)


async def test_nothing_is_archived_of_an_account_that_is_deleted(world: World) -> None:
    world.upload(501, "story")
    world.tell(101, 501)
    await world.work()
    await world.advance(1)
    world.append(account(ANNA), e.AccountDeleted(account_id=ANNA))
    await world.settle()
    assert world.files(501) == []


async def test_a_story_that_shares_a_content_leaves_it_to_the_others(world: World) -> None:
    await world.share(501, 502, purpose="story")
    for story_id, media_id in ((101, 501), (102, 502)):
        world.tell(story_id, media_id)
    await world.settle()
    for media_id in (501, 502):
        kept = [f"{archive_prefix(media_id)}original", f"{archive_prefix(media_id)}w320.jpeg"]
        assert sorted(world.objects.under(archive_prefix(media_id))) == kept
        assert await world.named(media_id) == kept[1:]
    assert not world.objects.under(content_prefix(501))
    assert original_key(501) not in world.objects.objects
    assert world.contents.rows == {}


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
async def test_whoever_dies_whatever_the_row_names_is_there(seed: int) -> None:
    chance, world = random.Random(seed), World(keepers=2)
    world.append(account(ANNA))
    world.upload(501, "story")
    world.tell(101, 501)
    await world.river.pump()
    gone = False
    for _ in range(80):
        await world.advance(chance.choice([0.0, 0.0, 1.0, READING_SECONDS, STORY_SECONDS / 2]))
        which = chance.randrange(2)
        await world.keepers[which].turn()
        for _ in range(chance.randrange(8)):
            world.keepers[which].gate.let_through(chance.randrange(100))
            await spin(2)
        if chance.random() < 0.3:
            await world.river.pump()
        if chance.random() < 0.1:
            world.kill(which)
        if not gone:
            assert all(key in world.objects.objects for key in await world.named(501))
        if not gone and chance.random() < 0.01:
            # What an erasure does: the row first, then everything that it finds.
            world.append(e.AccountDeleted(account_id=ANNA))
            await world.river.pump()
            for key in world.files(501):
                del world.objects.objects[key]
            gone = True
    await world.settle(20)
    left = world.files(501)
    assert left == ([] if gone else [raw_key(ANNA, 501), f"{archive_prefix(501)}w320.jpeg"])
    await world.end()
