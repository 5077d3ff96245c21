"""Likes and comments on real engines: counts are exact whoever acts how often."""

import asyncio

import pytest

from photolog.errors import Forbidden, NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, listed, published, settles


async def counts_of(person: Person, post_id: str) -> tuple[int, int]:
    counts = (await person.client.get_post(post_id)).counts
    return counts.likes, counts.comments


async def texts_of(person: Person, post_id: str) -> list[str | None]:
    return [comment.text for comment in await listed(person.client.comments(post_id))]


async def test_likes_of_many_are_counted_each_once(join: Joining) -> None:
    ada, *fans = [await join(name) for name in ("ada", "ben", "cem", "dan", "eve")]
    post_id = await published(ada)
    await asyncio.gather(*(fan.client.like(post_id) for fan in fans for _ in range(3)))
    await settles(lambda: counts_of(ada, post_id), (4, 0))
    await asyncio.gather(*(fan.client.unlike(post_id) for fan in fans[:3]))
    await settles(lambda: counts_of(ada, post_id), (1, 0))


async def test_one_reads_ones_own_like_and_comment_at_once(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    post_id = await published(ada)
    await ben.client.like(post_id)
    shown = await ben.client.get_post(post_id)
    assert (shown.viewer.liked, shown.counts.likes) == (True, 1)
    await ben.client.comment(post_id, "first 😍")
    await ben.client.comment(post_id, "second")
    assert await texts_of(ben, post_id) == ["second", "first 😍"]
    assert await counts_of(ben, post_id) == (1, 2)


async def test_comments_are_deleted_by_those_who_may(join: Joining) -> None:
    ada, ben, eve = await join("ada"), await join("ben"), await join("eve")
    post_id = await published(ada)
    comment_ids = [await ben.client.comment(post_id, text) for text in ("one", "two", "three")]
    assert len(await texts_of(ben, post_id)) == 3
    with pytest.raises(Forbidden):
        await eve.client.delete_comment(post_id, comment_ids[0])
    await ben.client.delete_comment(post_id, comment_ids[0])
    await ada.client.delete_comment(post_id, comment_ids[1])
    assert await texts_of(ada, post_id) == ["three"]
    await settles(lambda: counts_of(ben, post_id), (0, 1))


async def test_what_is_hidden_takes_no_likes_and_no_comments(join: Joining) -> None:
    ada, eve = await join("ada", private=True), await join("eve")
    post_id = await published(ada)
    with pytest.raises(NotFound):
        await eve.client.like(post_id)
    with pytest.raises(NotFound):
        await eve.client.comment(post_id, "hello")
    with pytest.raises(NotFound):
        await texts_of(eve, post_id)
    assert await counts_of(ada, post_id) == (0, 0)
