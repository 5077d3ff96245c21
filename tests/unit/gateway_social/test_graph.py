"""What people may do to each other, and what the lists show of it."""

import pytest

from gateway.commands import graph as commands
from gateway.endpoint import ListQuery
from gateway.queries import graph as queries
from photolog.errors import Conflict, Forbidden, Invalid, NotFound
from schemas import events as e
from tests.unit.gateway_social.world import Handler, World

REFLEXIVE = [commands.follow, commands.unfollow, commands.block, commands.unblock, commands.mute, commands.unmute]
ABOUT_ANOTHER = [
    *REFLEXIVE,
    commands.remove_follower,
    commands.approve,
    commands.deny,
]


async def listed(world: World, viewer: int, handler: Handler, limit: int = 100, **path: int) -> list[str]:
    """All items of a list, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        page = (await world.answer(viewer, handler, query=ListQuery(limit=limit, cursor=cursor), **path)).body
        found += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_following_a_public_account_is_active_at_once(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    command = await world.command(ada, commands.follow, account_id=ben)
    assert command.events == (
        e.FollowCreated(follower_id=ada, followee_id=ben, wanted_status="active", privacy_version=0),
    )
    assert command.answer == commands.Following(account_id=str(ben), following="active")


async def test_following_a_private_account_waits_for_approval(world: World) -> None:
    ada, ben = await world.person(), await world.person(private=True)
    await world.command(ada, commands.follow, account_id=ben)
    assert await listed(world, ben, queries.requests) == [str(ada)]
    assert await listed(world, ada, queries.sent_requests) == [str(ben)]
    await world.command(ben, commands.approve, account_id=ada)
    assert await listed(world, ben, queries.followers, account_id=ben) == [str(ada)]
    assert await listed(world, ben, queries.requests) == []


async def test_a_denied_request_is_gone_and_may_be_made_again(world: World) -> None:
    ada, ben = await world.person(), await world.person(private=True)
    for _ in range(2):
        await world.command(ada, commands.follow, account_id=ben)
        await world.command(ben, commands.deny, account_id=ada)
    assert await listed(world, ben, queries.requests) == []
    assert await listed(world, ben, queries.followers, account_id=ben) == []


async def test_a_stale_following_does_not_open_a_private_account_unasked(world: World) -> None:
    """The rows may be behind an unfollowing, so the stamp never comes from them."""
    ada, ben = await world.person(), await world.person()
    await world.command(ada, commands.follow, account_id=ben)
    await world.happen(e.PrivacyChanged(account_id=ben, private=True))
    command = await world.command(ada, commands.follow, account_id=ben)
    assert command.events == (
        e.FollowCreated(follower_id=ada, followee_id=ben, wanted_status="pending", privacy_version=1),
    )
    assert command.answer == commands.Following(account_id=str(ben), following="active")
    assert await listed(world, ada, queries.following, account_id=ada) == [str(ben)]


@pytest.mark.parametrize("handler", REFLEXIVE)
async def test_nobody_does_anything_to_themself(world: World, handler: Handler) -> None:
    ada = await world.person()
    with pytest.raises(Invalid) as refused:
        await world.command(ada, handler, account_id=ada)
    assert refused.value.field == "account_id"
    assert world.appended == []


@pytest.mark.parametrize("handler", ABOUT_ANOTHER)
async def test_an_account_that_is_not_there_is_not_found(world: World, handler: Handler) -> None:
    ada = await world.person()
    for account_id in ("12345", "nobody"):
        with pytest.raises(NotFound):
            await world.command(ada, handler, account_id=account_id)
    assert world.appended == []


@pytest.mark.parametrize("handler", ABOUT_ANOTHER)
async def test_who_blocks_you_is_not_there(world: World, handler: Handler) -> None:
    ada, ben = await world.person(), await world.person()
    await world.command(ben, commands.block, account_id=ada)
    world.appended.clear()
    with pytest.raises(NotFound):
        await world.command(ada, handler, account_id=ben)
    assert world.appended == []


async def test_a_suspended_account_is_not_there_but_can_be_unfollowed(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    await world.command(ada, commands.follow, account_id=ben)
    await world.happen(e.AccountSuspended(account_id=ben, reason="spam", operator="op"))
    with pytest.raises(NotFound):
        await world.command(ada, commands.follow, account_id=ben)
    assert await listed(world, ada, queries.following, account_id=ada) == []
    await world.command(ada, commands.unfollow, account_id=ben)
    await world.happen(e.AccountReinstated(account_id=ben, operator="op"))
    assert await listed(world, ada, queries.following, account_id=ada) == []


async def test_a_block_ends_both_followings_and_hides_each_from_the_other(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    await world.command(ada, commands.follow, account_id=ben)
    await world.command(ben, commands.follow, account_id=ada)
    await world.command(ada, commands.block, account_id=ben)
    assert await listed(world, ada, queries.followers, account_id=ada) == []
    assert await listed(world, ada, queries.following, account_id=ada) == []
    for viewer, other in ((ada, ben), (ben, ada)):
        with pytest.raises(NotFound):
            await world.answer(viewer, queries.followers, query=ListQuery(), account_id=other)


async def test_the_blocker_still_sees_and_lifts_the_block(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    await world.command(ada, commands.block, account_id=ben)
    assert await listed(world, ada, queries.blocks) == [str(ben)]
    assert (await world.answer(ada, queries.relationship, account_id=ben)).body.blocking
    with pytest.raises(NotFound):
        await world.answer(ben, queries.relationship, account_id=ada)
    await world.command(ada, commands.unblock, account_id=ben)
    assert await listed(world, ada, queries.blocks) == []
    assert (await world.command(ben, commands.follow, account_id=ada)).events


async def test_a_mute_is_listed_for_the_muter_alone(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    await world.command(ada, commands.mute, account_id=ben)
    assert await listed(world, ada, queries.mutes) == [str(ben)]
    assert await listed(world, ben, queries.mutes) == []
    assert (await world.answer(ada, queries.relationship, account_id=ben)).body.muting
    assert not (await world.answer(ben, queries.relationship, account_id=ada)).body.muting
    await world.command(ada, commands.unmute, account_id=ben)
    assert await listed(world, ada, queries.mutes) == []


@pytest.mark.parametrize("handler", [commands.approve, commands.deny])
async def test_who_did_not_ask_is_neither_approved_nor_denied(world: World, handler: Handler) -> None:
    ada, ben = await world.person(), await world.person(private=True)
    with pytest.raises(NotFound):
        await world.command(ben, handler, account_id=ada)
    await world.command(ada, commands.follow, account_id=ben)
    await world.command(ben, commands.approve, account_id=ada)
    world.appended.clear()
    with pytest.raises(NotFound):
        await world.command(ben, handler, account_id=ada)
    assert world.appended == []


async def test_only_a_follower_is_removed(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    with pytest.raises(NotFound):
        await world.command(ben, commands.remove_follower, account_id=ada)
    await world.command(ada, commands.follow, account_id=ben)
    await world.command(ben, commands.remove_follower, account_id=ada)
    assert await listed(world, ben, queries.followers, account_id=ben) == []
    assert await listed(world, ada, queries.following, account_id=ada) == []


async def test_followees_are_limited_and_requests_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "FOLLOWEES_MAX", 3)
    ada = await world.person()
    others = [await world.person(private=number == 2) for number in range(4)]
    for other in others[:3]:
        await world.command(ada, commands.follow, account_id=other)
    with pytest.raises(Conflict) as refused:
        await world.command(ada, commands.follow, account_id=others[3])
    assert refused.value.kind == "too-many-followees"
    await world.command(ada, commands.follow, account_id=others[0])  # already followed: nothing more
    await world.command(ada, commands.unfollow, account_id=others[0])
    await world.command(ada, commands.follow, account_id=others[3])


async def test_lists_of_a_private_account_are_its_followers_only(world: World) -> None:
    ada, ben, eve = await world.person(), await world.person(private=True), await world.person()
    await world.command(ada, commands.follow, account_id=ben)
    for handler in (queries.followers, queries.following, queries.mutuals):
        for stranger in (ada, eve):
            with pytest.raises(Forbidden):
                await world.answer(stranger, handler, query=ListQuery(), account_id=ben)
    await world.command(ben, commands.approve, account_id=ada)
    assert await listed(world, ada, queries.followers, account_id=ben) == [str(ada)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_show_every_follower_once(world: World, limit: int) -> None:
    star = await world.person()
    fans = [await world.person() for _ in range(21)]
    for fan in fans:
        await world.command(fan, commands.follow, account_id=star)
    found = await listed(world, star, queries.followers, limit, account_id=star)
    assert sorted(found) == sorted(str(fan) for fan in fans)


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_followees_are_listed_newest_first_and_hidden_ones_left_out(world: World, limit: int) -> None:
    ada = await world.person()
    others = [await world.person() for _ in range(9)]
    for other in others:
        await world.command(ada, commands.follow, account_id=other)
    for hidden in others[2:5]:
        await world.happen(e.AccountSuspended(account_id=hidden, reason="spam", operator="op"))
    shown = [str(other) for other in reversed(others) if other not in others[2:5]]
    assert await listed(world, ada, queries.following, limit, account_id=ada) == shown


async def test_a_list_hides_whom_the_viewer_must_not_see(world: World) -> None:
    ada, ben, star = await world.person(), await world.person(), await world.person()
    for fan in (ada, ben):
        await world.command(fan, commands.follow, account_id=star)
    await world.command(ben, commands.block, account_id=ada)
    assert await listed(world, ada, queries.followers, account_id=star) == [str(ada)]
    assert await listed(world, ben, queries.followers, account_id=star) == [str(ben)]
    assert set(await listed(world, star, queries.followers, account_id=star)) == {str(ada), str(ben)}


async def test_mutuals_follow_each_other(world: World) -> None:
    ada = await world.person()
    others = [await world.person() for _ in range(6)]
    for other in others:
        await world.command(ada, commands.follow, account_id=other)
    for other in others[::2]:
        await world.command(other, commands.follow, account_id=ada)
    expected = [str(other) for other in reversed(others[::2])]
    for limit in (1, 2, 100):
        assert await listed(world, ada, queries.mutuals, limit, account_id=ada) == expected


async def test_a_cursor_serves_its_own_list_only(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    for other in (await world.person(), await world.person()):
        await world.command(ada, commands.follow, account_id=other)
        await world.command(ben, commands.follow, account_id=other)
    page = (await world.answer(ada, queries.following, query=ListQuery(limit=1), account_id=ada)).body
    with pytest.raises(Invalid):
        await world.answer(ada, queries.following, query=ListQuery(cursor=page.next_cursor), account_id=ben)
