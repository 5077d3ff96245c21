"""Close friends: the owner's list, which opens stories and of which nobody else learns."""

from typing import Any

import msgspec
import pytest

from gateway.commands import close_friends, graph
from gateway.commands.close_friends import FRIENDS_MAX
from gateway.endpoint import ListQuery
from gateway.queries import close_friends as queries
from photolog.errors import Conflict, Invalid, NotFound
from schemas import events as e
from tests.unit.gateway_social.test_story_tray import a_town
from tests.unit.gateway_social.world import World


async def listed(world: World, viewer: int, limit: int = 100) -> list[int]:
    """The whole list, page by page."""
    found: list[int] = []
    cursor = None
    while True:
        answer = await world.answer(viewer, queries.close_friends, query=ListQuery(limit=limit, cursor=cursor))
        page: Any = msgspec.to_builtins(answer.body)
        found += [int(one["id"]) for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_last_added_is_listed_first_and_a_repeat_changes_nothing(world: World, limit: int) -> None:
    ada, ben, cem, dan = [await world.person() for _ in range(4)]
    for friend in (ben, cem, dan, ben):
        await world.command(ada, close_friends.add, account_id=friend)
    assert await listed(world, ada, limit) == [dan, cem, ben]
    for _ in range(2):
        await world.command(ada, close_friends.remove, account_id=cem)
    assert await listed(world, ada, limit) == [dan, ben]
    assert await listed(world, ben) == []


async def test_who_may_not_be_seen_is_not_added_nor_listed_but_may_be_removed(world: World) -> None:
    ada, ben, cem = [await world.person() for _ in range(3)]
    await world.command(ada, close_friends.add, account_id=ben)
    await world.command(ben, graph.block, account_id=ada)
    await world.command(cem, graph.block, account_id=ada)
    assert await listed(world, ada) == []
    for refused in (close_friends.add, close_friends.remove):
        with pytest.raises(NotFound):
            await world.command(ada, refused, account_id=cem)
    with pytest.raises(NotFound):
        await world.command(ada, close_friends.add, account_id=ben)
    await world.command(ada, close_friends.remove, account_id=ben)
    await world.command(ben, graph.unblock, account_id=ada)
    assert await listed(world, ada) == []


async def test_nobody_is_their_own_close_friend(world: World) -> None:
    ada = await world.person()
    for handler in (close_friends.add, close_friends.remove):
        with pytest.raises(Invalid):
            await world.command(ada, handler, account_id=ada)


async def test_the_list_has_an_end_but_who_is_on_it_may_be_added_again(world: World) -> None:
    ada, ben, cem = [await world.person() for _ in range(3)]
    await world.command(ada, close_friends.add, account_id=ben)
    for friend_id in range(1, FRIENDS_MAX):
        await world.happen(e.CloseFriendAdded(owner_id=ada, friend_id=friend_id))
    with pytest.raises(Conflict):
        await world.command(ada, close_friends.add, account_id=cem)
    await world.command(ada, close_friends.add, account_id=ben)
    await world.command(ada, close_friends.remove, account_id=1)
    await world.command(ada, close_friends.add, account_id=cem)


async def test_a_story_for_close_friends_comes_and_goes_with_the_list() -> None:
    async with a_town("ada", "ben") as town:
        story_id = await town.tell("ada", "close_friends")
        path, friends = f"/v1/stories/{story_id}", f"/v1/me/close-friends/{town.id('ben')}"
        for method, expected in (("GET", 404), ("PUT", 200), ("DELETE", 404), ("PUT", 200)):
            if method != "GET":
                assert (await town.people["ada"].request(method, friends)).status_code == 200
            assert (await town.people["ben"].request("GET", path)).status_code == expected
