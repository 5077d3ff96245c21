"""A refused upload leaves nothing behind; what is ready keeps its original, unless it shares another's files."""

from collections.abc import AsyncIterator

import pytest

from photolog.media.originals import raw_key
from tests.unit.keeper.world import ANNA, REFUSED_SECONDS, World, answered
from tests.unit.streams.scenario import failed


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.end()


async def test_a_refused_upload_is_gone_once_its_time_has_come(world: World) -> None:
    world.upload(501, refused=True)
    await world.advance(REFUSED_SECONDS - 1)
    await world.work()
    assert len(world.files(501)) == 1
    await world.advance(1)
    await world.work()
    assert world.files(501) == []


async def test_what_a_program_failed_at_stays_for_an_operator_to_try_again(world: World) -> None:
    world.upload(501, refused=True, reason="damaged-video")
    world.upload(502, refused=True, reason="decoder-crashed")
    await world.advance(REFUSED_SECONDS)
    await world.work()
    assert (len(world.files(501)), len(world.files(502))) == (1, 1)
    world.append(answered(502, "post"))
    world.post(101, 502)
    await world.settle()
    assert await world.status(502) == "ready"
    assert (world.files(501), raw_key(ANNA, 502) in world.objects.objects) == ([], True)


async def test_the_first_of_two_answers_counts(world: World) -> None:
    world.upload(501)
    world.append(failed(501, ANNA))
    world.post(101, 501)
    await world.settle()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)


async def test_nothing_is_removed_before_the_row_tells(world: World) -> None:
    world.upload(501, refused=True)
    await world.advance(REFUSED_SECONDS)
    await world.keepers[0].turn()
    for _ in range(20):
        world.keepers[0].gate.let_through(0)
        await world.advance(0)
    assert len(world.files(501)) == 1


async def test_the_upload_goes_where_a_content_has_an_original_of_its_own(world: World) -> None:
    await world.share(501, 502)
    world.upload(503)
    world.post(101, 501, 502, 503)
    await world.settle(4)
    assert [raw_key(ANNA, media_id) in world.objects.objects for media_id in (501, 502, 503)] == [False, False, True]
    assert len(world.files(501)) == 2
