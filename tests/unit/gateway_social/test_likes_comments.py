"""Likes and comments: only on what may be seen, and taken back by those who may."""

import pytest

from gateway.commands import comments as comment_commands
from gateway.commands import graph, likes
from gateway.commands import posts as post_commands
from gateway.commands.comments import CommentWritten, WriteComment
from gateway.endpoint import ListQuery
from gateway.queries import comments as comment_queries
from photolog.errors import Conflict, Forbidden, Invalid, NotFound
from projections.comments import COMMENT_COUNTS
from projections.likes import LIKE_COUNTS
from schemas import events as e
from tests.unit.gateway_social.test_posts import posted
from tests.unit.gateway_social.world import World


async def commented(world: World, viewer: int, post_id: int, text: str = "Wow") -> int:
    """Comment, and tell the comment's id."""
    command = await world.command(viewer, comment_commands.write, WriteComment(text=text), post_id=post_id)
    assert isinstance(command.answer, CommentWritten)
    return int(command.answer.comment_id)


async def texts(world: World, viewer: int | None, post_id: int, limit: int = 100) -> list[str]:
    """All comments that the viewer sees."""
    found: list[str] = []
    cursor = None
    while True:
        query = ListQuery(limit=limit, cursor=cursor)
        page = (await world.answer(viewer, comment_queries.comments, query=query, post_id=post_id)).body
        found += [item.text for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_a_repeated_like_counts_once(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    for handler, count in ((likes.like, 1), (likes.like, 1), (likes.unlike, 0), (likes.unlike, 0), (likes.like, 1)):
        await world.command(ben, handler, post_id=post_id)
        rows = await world.rows.scan(LIKE_COUNTS, (post_id,), limit=10)
        assert sum(row.count for row in rows) == count


async def test_what_may_not_be_seen_is_not_liked_or_commented(world: World) -> None:
    ada, eve = await world.person(private=True), await world.person()
    hidden, _ = await posted(world, ada)
    world.appended.clear()
    for post_id in (hidden, 99):
        with pytest.raises(NotFound):
            await world.command(eve, likes.like, post_id=post_id)
        with pytest.raises(NotFound):
            await world.command(eve, likes.unlike, post_id=post_id)
        with pytest.raises(NotFound):
            await world.command(eve, comment_commands.write, WriteComment(text="hi"), post_id=post_id)
        with pytest.raises(NotFound):
            await world.answer(eve, comment_queries.comments, query=ListQuery(), post_id=post_id)
    assert world.appended == []


async def test_a_post_in_the_making_is_not_liked_by_its_own_author(world: World) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada, published=False)
    with pytest.raises(Conflict):
        await world.command(ada, likes.like, post_id=post_id)


async def test_a_like_can_be_taken_back_after_a_block(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    await world.command(ben, likes.like, post_id=post_id)
    await world.command(ada, graph.block, account_id=ben)
    assert (await world.command(ben, likes.unlike, post_id=post_id)).events
    with pytest.raises(NotFound):
        await world.command(ben, likes.unlike, post_id=post_id)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2_201, "bell\a"])
async def test_a_comment_has_1_to_2200_characters(world: World, text: str) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada)
    world.appended.clear()
    with pytest.raises(Invalid) as refused:
        await commented(world, ada, post_id, text)
    assert refused.value.field == "text"
    assert world.appended == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_comments_are_listed_newest_first(world: World, limit: int) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada)
    for number in range(5):
        await commented(world, ada, post_id, f"number {number}")
    assert await texts(world, None, post_id, limit) == [f"number {number}" for number in reversed(range(5))]


async def test_comments_of_the_blocked_and_the_suspended_are_hidden(world: World) -> None:
    ada, ben, cem, dan = [await world.person() for _ in range(4)]
    post_id, _ = await posted(world, ada)
    for person, text in ((ben, "by ben"), (cem, "by cem"), (dan, "by dan")):
        await commented(world, person, post_id, text)
    await world.command(ben, graph.block, account_id=dan)
    await world.happen(e.AccountSuspended(account_id=cem, reason="spam", operator="op"))
    assert await texts(world, ada, post_id) == ["by dan", "by ben"]
    assert await texts(world, dan, post_id) == ["by dan"]
    assert await texts(world, ben, post_id) == ["by ben"]


async def test_a_comment_is_deleted_by_its_author_or_the_posts(world: World) -> None:
    ada, ben, eve = [await world.person() for _ in range(3)]
    post_id, _ = await posted(world, ada)
    first, second = await commented(world, ben, post_id), await commented(world, ben, post_id)
    with pytest.raises(Forbidden):
        await world.command(eve, comment_commands.delete, post_id=post_id, comment_id=first)
    await world.command(ben, comment_commands.delete, post_id=post_id, comment_id=first)
    await world.command(ada, comment_commands.delete, post_id=post_id, comment_id=second)
    for comment_id in (first, 99):
        with pytest.raises(NotFound):
            await world.command(ada, comment_commands.delete, post_id=post_id, comment_id=comment_id)
    rows = await world.rows.scan(COMMENT_COUNTS, (post_id,), limit=10)
    assert sum(row.count for row in rows) == 0


async def test_an_author_takes_a_comment_back_from_a_post_they_cannot_see(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    comment_id = await commented(world, ben, post_id)
    await world.command(ada, graph.block, account_id=ben)
    assert (await world.command(ben, comment_commands.delete, post_id=post_id, comment_id=comment_id)).events


async def test_the_comments_of_a_deleted_post_are_gone_with_it(world: World) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada)
    await commented(world, ada, post_id)
    await world.command(ada, post_commands.delete, post_id=post_id)
    with pytest.raises(NotFound):
        await texts(world, ada, post_id)
