"""Who likes a post: newest first over all shards, and only whom the viewer may see."""

import pytest

from gateway.commands import graph, likes
from gateway.endpoint import ListQuery
from gateway.queries import likes as like_queries
from photolog.errors import NotFound, Unauthenticated
from projections.likes import liker_shard
from schemas import events as e
from tests.unit.gateway_social.test_posts import posted
from tests.unit.gateway_social.world import World


async def likers(world: World, viewer: int | None, post_id: int, limit: int = 100) -> list[int]:
    """The whole list, page by page."""
    found: list[int] = []
    cursor = None
    while True:
        query = ListQuery(limit=limit, cursor=cursor)
        page = (await world.answer(viewer, like_queries.likers, query=query, post_id=post_id)).body
        found += [int(item.id) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_likers_are_listed_newest_first_whatever_their_shard(world: World, limit: int) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada)
    people = [await world.person() for _ in range(20)]
    assert len({liker_shard(person) for person in people}) > 3
    for person in people:
        await world.command(person, likes.like, post_id=post_id)
    await world.command(people[7], likes.unlike, post_id=post_id)
    del people[7]
    assert await likers(world, ada, post_id, limit) == people[::-1]


async def test_likes_of_one_instant_are_all_there(world: World) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada)
    people = [await world.person() for _ in range(12)]
    at_ms = world.now_ms
    for person in people:
        world.now_ms = at_ms
        await world.happen(e.PostLiked(actor_id=person, post_id=post_id))
    assert await likers(world, ada, post_id, limit=5) == sorted(people, reverse=True)


async def test_only_likers_whom_the_viewer_may_see(world: World) -> None:
    ada, ben, cem, dan = [await world.person() for _ in range(4)]
    post_id, _ = await posted(world, ada)
    for person in (ben, cem, dan):
        await world.command(person, likes.like, post_id=post_id)
    await world.command(ben, graph.block, account_id=ada)
    await world.happen(e.AccountSuspended(account_id=cem, reason="spam", operator="op"))
    assert await likers(world, ada, post_id) == [dan]
    assert await likers(world, dan, post_id) == [dan, ben]


async def test_the_list_is_there_for_whom_the_post_is_and_needs_an_account(world: World) -> None:
    ada, eve = await world.person(private=True), await world.person()
    post_id, _ = await posted(world, ada)
    for hidden in (post_id, 99):
        with pytest.raises(NotFound):
            await likers(world, eve, hidden)
    with pytest.raises(Unauthenticated):
        await likers(world, None, post_id)
    assert await likers(world, ada, post_id) == []
