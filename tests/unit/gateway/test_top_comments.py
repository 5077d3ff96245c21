"""The comments on a card: the most liked of those that the viewer may see, and kept right."""

import msgspec
import pytest

from gateway.cards import hydrate
from projections.stores.memory_cache import MemoryCache
from projections.top_comments import TOP_CANDIDATES
from tests.unit.gateway.feed_world import World

VIEWER, ALICE, BOB, CAROL, DAN, ERIN = 1, 2, 3, 4, 5, 6


async def world_with_post() -> tuple[World, int]:
    world = World()
    for account_id in (VIEWER, ALICE, BOB, CAROL, DAN, ERIN):
        await world.account(account_id)
    return world, await world.post(ALICE)


async def shown(world: World, post_id: int, viewer: int | None = VIEWER) -> list[int]:
    """The comments on the post's card."""
    (card,) = await hydrate(world.services(), viewer, [(post_id, ALICE)])
    assert card is not None
    return [int(comment["id"]) for comment in msgspec.json.decode(card)["top_comments"]]


async def test_three_at_most_by_likes_and_then_newest_first() -> None:
    world, post_id = await world_with_post()
    first, second, third, fourth = [await world.comment(BOB, post_id, likes) for likes in (0, 2, 0, 5)]
    assert await shown(world, post_id) == [fourth, second, third]
    world.cache = MemoryCache()
    assert await shown(world, post_id) == [fourth, second, third]
    assert first not in await shown(world, post_id, viewer=None)


@pytest.mark.parametrize("cached", [True, False])
async def test_comments_of_the_blocked_and_the_suspended_make_room_for_the_next(cached: bool) -> None:
    world, post_id = await world_with_post()
    by_bob, by_carol, by_dan, by_erin = [await world.comment(who, post_id) for who in (BOB, CAROL, DAN, ERIN)]
    assert await shown(world, post_id) == [by_erin, by_dan, by_carol]
    await world.relate(VIEWER, ERIN, blocks=True)
    await world.relate(DAN, VIEWER, blocks=True)
    if not cached:
        world.cache = MemoryCache()
    assert await shown(world, post_id) == [by_carol, by_bob]
    assert await shown(world, post_id, viewer=None) == [by_erin, by_dan, by_carol]
    await world.account(CAROL, suspended=True)
    assert await shown(world, post_id) == [by_bob]


async def test_a_commenters_new_name_is_on_the_card() -> None:
    world, post_id = await world_with_post()
    await world.comment(BOB, post_id)
    await shown(world, post_id)
    await world.account(BOB, username="robert")
    (card,) = await hydrate(world.services(), VIEWER, [(post_id, ALICE)])
    assert card is not None
    assert msgspec.json.decode(card)["top_comments"][0]["author"]["username"] == "robert"


async def test_whose_candidates_are_all_hidden_sees_none() -> None:
    world, post_id = await world_with_post()
    await world.comment(BOB, post_id)
    for _ in range(TOP_CANDIDATES):
        await world.comment(CAROL, post_id)
    await world.relate(VIEWER, CAROL, mutes=True)
    assert len(await shown(world, post_id)) == 3, "a mute hides no comment"
    await world.relate(VIEWER, CAROL, blocks=True)
    assert await shown(world, post_id) == []
