"""Replies and likes of comments: two levels, whoever answers whom."""

import pytest

from gateway.commands import comment_likes, graph
from gateway.commands import comments as comment_commands
from gateway.commands.comments import CommentWritten, WriteComment
from gateway.endpoint import ListQuery
from gateway.queries import comments as comment_queries
from gateway.queries.comments import Comment
from photolog.errors import Forbidden, Invalid, NotFound
from projections.comment_likes import COMMENT_LIKE_COUNTS
from schemas import events as e
from tests.unit.gateway_social.test_posts import posted
from tests.unit.gateway_social.world import World


async def comment(world: World, viewer: int, post_id: int, parent: int | None = None, text: str = "so true") -> int:
    """Comment or reply, and tell the new comment's id."""
    body = WriteComment(text=text, parent_id=None if parent is None else str(parent))
    command = await world.command(viewer, comment_commands.write, body, post_id=post_id)
    assert isinstance(command.answer, CommentWritten)
    return int(command.answer.comment_id)


async def comments(world: World, viewer: int | None, post_id: int) -> list[Comment]:
    """The comments that the viewer sees."""
    page = await world.answer(viewer, comment_queries.comments, query=ListQuery(limit=100), post_id=post_id)
    return list(page.body.items)


async def replies(world: World, viewer: int | None, post_id: int, comment_id: int, limit: int = 100) -> list[Comment]:
    """The replies that the viewer sees, page by page."""
    found: list[Comment] = []
    cursor = None
    while True:
        query = ListQuery(limit=limit, cursor=cursor)
        answer = await world.answer(
            viewer, comment_queries.replies, query=query, post_id=post_id, comment_id=comment_id
        )
        found += answer.body.items
        cursor = answer.body.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_replies_stand_oldest_first_and_count(world: World, limit: int) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    first = await comment(world, ada, post_id)
    answers = [await comment(world, ben, post_id, first, f"number {number}") for number in range(3)]
    shown = await replies(world, None, post_id, first, limit)
    assert [(int(one.id), one.text, one.parent_id) for one in shown] == [
        (answer, f"number {number}", str(first)) for number, answer in enumerate(answers)
    ]
    assert [(int(one.id), one.replies, one.parent_id) for one in await comments(world, None, post_id)] == [
        (first, 3, None)
    ]


async def test_a_reply_to_a_reply_hangs_under_the_comment_and_names_whom_it_answers(world: World) -> None:
    ada, ben, cem = await world.person(), await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    first = await comment(world, ada, post_id)
    second = await comment(world, ben, post_id, first)
    third = await comment(world, cem, post_id, second)
    shown = await replies(world, ada, post_id, first)
    assert [(int(one.id), one.answers and int(one.answers.id)) for one in shown] == [(second, None), (third, ben)]
    with pytest.raises(NotFound):
        await replies(world, ada, post_id, second)
    await world.command(ben, graph.block, account_id=ada)
    assert [(int(one.id), one.answers) for one in await replies(world, ada, post_id, first)] == [(third, None)]


async def test_a_reply_names_a_comment_on_this_post_that_its_author_may_see(world: World) -> None:
    ada, ben, eve = await world.person(), await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    other_post, _ = await posted(world, ada)
    first, elsewhere = await comment(world, ben, post_id), await comment(world, ben, other_post)
    answered = await comment(world, ada, post_id, first)
    await world.command(ben, graph.block, account_id=eve)
    world.appended.clear()
    for parent in (elsewhere, 99, first, answered):
        with pytest.raises(Invalid) as refused:
            await comment(world, eve, post_id, parent)
        assert (refused.value.kind, refused.value.field) == ("unknown-comment", "parent_id")
    assert world.appended == []
    with pytest.raises(NotFound):
        await replies(world, eve, post_id, first)


async def test_a_reply_is_deleted_by_its_author_or_the_posts(world: World) -> None:
    ada, ben, cem = await world.person(), await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    first = await comment(world, ben, post_id)
    one, other = await comment(world, cem, post_id, first), await comment(world, cem, post_id, first)
    with pytest.raises(Forbidden):
        await world.command(ben, comment_commands.delete, post_id=post_id, comment_id=one)
    await world.command(cem, comment_commands.delete, post_id=post_id, comment_id=one)
    await world.command(ada, comment_commands.delete, post_id=post_id, comment_id=other)
    assert await replies(world, ada, post_id, first) == []
    assert [item.replies for item in await comments(world, ada, post_id)] == [0]


async def test_a_comment_that_is_hidden_is_not_there_to_be_deleted(world: World) -> None:
    ada, ben, eve = await world.person(), await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    hidden = await comment(world, ben, post_id)
    await world.command(ben, graph.block, account_id=eve)
    for comment_id in (hidden, 99):
        with pytest.raises(NotFound):
            await world.command(eve, comment_commands.delete, post_id=post_id, comment_id=comment_id)


async def test_a_comment_shows_its_likes_and_the_viewers_own(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    first = await comment(world, ada, post_id)
    reply = await comment(world, ada, post_id, first)
    for comment_id in (first, reply):
        for _ in range(2):
            await world.command(ben, comment_likes.like, post_id=post_id, comment_id=comment_id)
        (row,) = await world.rows.scan(COMMENT_LIKE_COUNTS, (comment_id,), limit=9)
        assert row.count == 1
        await world.happen(
            e.CommentLikesCounted(comment_id=comment_id, post_id=post_id, source=row.source, version=1, count=1)
        )
    for viewer, liked in ((ben, True), (ada, False), (None, False)):
        shown = [*await comments(world, viewer, post_id), *await replies(world, viewer, post_id, first)]
        assert [(one.likes, one.viewer.liked) for one in shown] == [(1, liked), (1, liked)]
    await world.command(ben, comment_likes.unlike, post_id=post_id, comment_id=first)
    assert [one.viewer.liked for one in await comments(world, ben, post_id)] == [False]


async def test_a_hidden_comment_is_not_liked_and_a_like_of_it_can_be_taken_back(world: World) -> None:
    ada, ben, eve = await world.person(), await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    liked, other = await comment(world, ben, post_id), await comment(world, ben, post_id)
    reply = await comment(world, ada, post_id, other)
    await world.command(eve, comment_likes.like, post_id=post_id, comment_id=liked)
    await world.command(ben, graph.block, account_id=eve)
    world.appended.clear()
    for comment_id in (liked, other, reply, 99):
        with pytest.raises(NotFound):
            await world.command(eve, comment_likes.like, post_id=post_id, comment_id=comment_id)
    for wrong in ((post_id, other), (post_id + 1, liked)):
        with pytest.raises(NotFound):
            await world.command(eve, comment_likes.unlike, post_id=wrong[0], comment_id=wrong[1])
    assert world.appended == []
    assert (await world.command(eve, comment_likes.unlike, post_id=post_id, comment_id=liked)).events
