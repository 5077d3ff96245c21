"""Saved posts: kept by who saves them, shown while they may be seen; and shares, each of which counts."""

from typing import Any

import msgspec
import pytest

from gateway.cards import hydrate
from gateway.commands import graph, saves, shares
from gateway.commands import posts as post_commands
from gateway.commands.shares import SharePost
from gateway.endpoint import ListQuery
from gateway.queries import saves as save_queries
from photolog.errors import Conflict, NotFound
from schemas import events as e
from tests.unit.gateway_social.test_posts import posted
from tests.unit.gateway_social.world import World


async def saved(world: World, viewer: int, limit: int = 100) -> list[int]:
    """The whole list, page by page."""
    found: list[int] = []
    cursor = None
    while True:
        query = ListQuery(limit=limit, cursor=cursor)
        page = msgspec.json.decode(bytes((await world.answer(viewer, save_queries.saved, query=query)).body))
        found += [int(card["id"]) for card in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def card(world: World, viewer: int | None, post_id: int, owner: int) -> Any:
    """The post's card."""
    (shown,) = await hydrate(world.services, viewer, [(post_id, owner)])
    assert shown is not None
    return msgspec.json.decode(shown)


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_saved_posts_are_listed_last_saved_first(world: World, limit: int) -> None:
    ada, ben = await world.person(), await world.person()
    post_ids = [(await posted(world, ada))[0] for _ in range(4)]
    for post_id in (*post_ids, post_ids[1]):
        await world.command(ben, saves.save, post_id=post_id)
    assert await saved(world, ben, limit) == post_ids[::-1]
    await world.command(ben, saves.unsave, post_id=post_ids[2])
    await world.command(ben, saves.unsave, post_id=post_ids[0])
    await world.command(ben, saves.save, post_id=post_ids[0])
    assert await saved(world, ben, limit) == [post_ids[0], post_ids[3], post_ids[1]]
    assert await saved(world, ada) == []


async def test_a_saved_post_vanishes_with_its_visibility_and_comes_back_with_it(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    await world.command(ben, saves.save, post_id=post_id)
    for hidden, shown in (
        (e.PrivacyChanged(account_id=ada, private=True), e.PrivacyChanged(account_id=ada, private=False)),
        (e.AccountBlocked(blocker_id=ada, blocked_id=ben), e.AccountUnblocked(blocker_id=ada, blocked_id=ben)),
        (
            e.AccountSuspended(account_id=ada, reason="spam", operator="op"),
            e.AccountReinstated(account_id=ada, operator="op"),
        ),
    ):
        await world.happen(hidden)
        assert await saved(world, ben) == []
        await world.happen(shown)
        assert await saved(world, ben) == [post_id]
    await world.command(ada, post_commands.delete, post_id=post_id)
    assert await saved(world, ben) == []


async def test_a_page_of_hidden_saves_is_filled_from_behind_them(world: World) -> None:
    ada, ben, cem = await world.person(), await world.person(), await world.person()
    wanted = [(await posted(world, ada))[0] for _ in range(2)]
    hidden = [(await posted(world, cem))[0] for _ in range(3)]
    for post_id in (*wanted, *hidden):
        await world.command(ben, saves.save, post_id=post_id)
    await world.command(cem, graph.block, account_id=ben)
    page = await world.answer(ben, save_queries.saved, query=ListQuery(limit=2))
    assert [int(one["id"]) for one in msgspec.json.decode(bytes(page.body))["items"]] == wanted[::-1]


async def test_what_may_not_be_seen_is_not_saved_or_shared(world: World) -> None:
    ada, eve = await world.person(private=True), await world.person()
    hidden, _ = await posted(world, ada)
    world.appended.clear()
    for post_id in (hidden, 99):
        for handler in (saves.save, saves.unsave):
            with pytest.raises(NotFound):
                await world.command(eve, handler, post_id=post_id)
        with pytest.raises(NotFound):
            await world.command(eve, shares.share, SharePost(channel="link"), post_id=post_id)
    assert world.appended == []


async def test_a_post_in_the_making_is_not_saved_or_shared_by_its_own_author(world: World) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada, published=False)
    with pytest.raises(Conflict):
        await world.command(ada, saves.save, post_id=post_id)
    with pytest.raises(Conflict):
        await world.command(ada, shares.share, SharePost(channel="link"), post_id=post_id)


async def test_a_save_can_be_taken_back_after_a_block(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    await world.command(ben, saves.save, post_id=post_id)
    await world.command(ada, graph.block, account_id=ben)
    assert (await world.command(ben, saves.unsave, post_id=post_id)).events
    with pytest.raises(NotFound):
        await world.command(ben, saves.unsave, post_id=post_id)


async def test_cards_show_what_was_saved_and_how_often_to_the_author_alone(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    assert (await card(world, ben, post_id, ada))["viewer"] == {"liked": False, "saved": False}
    await world.command(ben, saves.save, post_id=post_id)
    for channel in ("link", "story", "link"):
        await world.command(ben, shares.share, SharePost(channel=channel), post_id=post_id)
    assert (await card(world, ben, post_id, ada))["viewer"] == {"liked": False, "saved": True}
    for viewer, count in ((ada, 1), (ben, None), (None, None)):
        shown = (await card(world, viewer, post_id, ada))["counts"]
        assert shown == {"likes": 0, "comments": 0, "shares": 3, "saves": count}
    await world.command(ben, saves.unsave, post_id=post_id)
    assert not (await card(world, ben, post_id, ada))["viewer"]["saved"]
    assert (await card(world, ada, post_id, ada))["counts"]["saves"] == 0
