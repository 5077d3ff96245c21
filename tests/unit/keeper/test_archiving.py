"""Stories: copied, named by the row, and only then deleted where they were, whoever dies in between."""

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photolog.media.files import archive_prefix
from photolog.media.originals import content_prefix, original_key, raw_key
from projections.media import stored_files
from schemas import events as e
from tests.unit.keeper.world import ANNA, READING_SECONDS, STORY_SECONDS, World, spin
from tests.unit.streams.scenario import account


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.end()


async def named(world: World, media_id: int) -> list[str]:
    """The objects that a row names."""
    row = await world.media(media_id)
    return [file.object_key for file in stored_files(row)] if row is not None else []


async def test_a_story_that_is_over_lies_in_the_archive_and_is_ready_still(world: World) -> None:
    world.upload(501, "story")
    await world.work()
    await world.advance(STORY_SECONDS - 1)
    await world.work()
    assert await named(world, 501) == [f"{content_prefix(501)}w320.jpeg"]
    await world.advance(1)
    await world.work()
    assert await named(world, 501) == [f"{archive_prefix(501)}w320.jpeg"]
    assert len(world.objects.under(content_prefix(501))) == 1, "somebody may be reading by the row of before"
    await world.advance(READING_SECONDS)
    await world.work()
    assert world.objects.under(content_prefix(501)) == []
    assert await world.status(501) == "ready"


async def test_what_is_no_story_stays_where_it_is(world: World) -> None:
    world.upload(501)
    world.post(101, 501)
    await world.settle()
    assert await named(world, 501) == [f"{content_prefix(501)}w320.jpeg"]


@pytest.mark.parametrize("purpose", ["story", "voice"])
async def test_what_no_post_is_to_hold_is_not_collected(world: World, purpose: e.Purpose) -> None:
    world.upload(501, purpose)
    await world.settle()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)


async def test_nothing_is_archived_of_an_account_that_is_deleted(world: World) -> None:
    world.append(account(ANNA), e.AccountDeleted(account_id=ANNA))
    world.upload(501, "story")
    await world.settle()
    assert world.files(501) == []


async def test_a_story_that_shares_a_content_leaves_it_to_the_others(world: World) -> None:
    await world.share(501, 502, purpose="story")
    await world.settle()
    for media_id in (501, 502):
        kept = [f"{archive_prefix(media_id)}original", f"{archive_prefix(media_id)}w320.jpeg"]
        assert sorted(world.objects.under(archive_prefix(media_id))) == kept
        assert await named(world, media_id) == kept[1:]
    assert not world.objects.under(content_prefix(501))
    assert original_key(501) not in world.objects.objects
    assert world.contents.rows == {}


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
async def test_whoever_dies_whatever_the_row_names_is_there(seed: int) -> None:
    chance, world = random.Random(seed), World(keepers=2)
    world.append(account(ANNA))
    world.upload(501, "story")
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
            assert all(key in world.objects.objects for key in await named(world, 501))
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
