"""Saves, shares, replies, likes of comments and telemetry on real engines: counts are exact whoever acts how often."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from photolog.client.engagement import Observation
from photolog.errors import Invalid, NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, listed, published, settles


async def counts_of(person: Person, post_id: str) -> tuple[int, int, int]:
    counts = (await person.client.get_post(post_id)).counts
    return counts.comments, counts.shares, counts.saves or 0


async def test_saves_and_shares_are_exact_and_ones_own_show_at_once(join: Joining) -> None:
    ada, *fans = [await join(name) for name in ("ada", "ben", "cem", "dan")]
    post_id = await published(ada)
    await asyncio.gather(*(fan.client.save(post_id) for fan in fans for _ in range(2)))
    await asyncio.gather(*(fan.client.share(post_id) for fan in fans for _ in range(2)))
    shown = await fans[0].client.get_post(post_id)
    assert (shown.viewer.saved, shown.counts.saves) == (True, None)
    await settles(lambda: counts_of(ada, post_id), (0, 6, 3))
    await fans[0].client.unsave(post_id)
    assert await listed(fans[0].client.saved()) == []
    assert [post.id for post in await listed(fans[1].client.saved())] == [post_id]
    await settles(lambda: counts_of(ada, post_id), (0, 6, 2))


async def test_comments_stand_by_likes_on_the_card_and_go_with_their_replies(join: Joining) -> None:
    ada, ben, cem, dan = [await join(name) for name in ("ada", "ben", "cem", "dan")]
    post_id = await published(ada)
    first, second, third, fourth = [await ben.client.comment(post_id, text) for text in ("1", "2", "3", "4")]
    await settles(lambda: counts_of(cem, post_id), (4, 0, 0))
    reply = await cem.client.comment(post_id, "so true", first)
    await settles(lambda: counts_of(dan, post_id), (5, 0, 0))
    await dan.client.comment(post_id, "indeed", reply)
    await asyncio.gather(*(one.client.like_comment(post_id, first) for one in (ada, cem, dan)))
    await dan.client.like_comment(post_id, second)

    async def top() -> list[tuple[str, int]]:
        return [(one.id, one.likes) for one in (await ada.client.get_post(post_id)).top_comments]

    await settles(top, [(first, 3), (second, 1), (fourth, 0)])
    answers = [(one.text, one.answers and one.answers.id) for one in await listed(dan.client.replies(post_id, first))]
    assert answers == [("so true", None), ("indeed", cem.id)]
    shown = (await listed(dan.client.comments(post_id)))[-1]
    assert (shown.likes, shown.replies, shown.viewer and shown.viewer.liked) == (3, 2, True)
    await settles(lambda: counts_of(ada, post_id), (6, 0, 0))
    await ada.client.delete_comment(post_id, first)
    await settles(lambda: counts_of(ada, post_id), (3, 0, 0))
    with pytest.raises(NotFound):
        await listed(dan.client.replies(post_id, first))
    await settles(top, [(second, 1), (fourth, 0), (third, 0)])


async def test_likers_are_listed_newest_first(join: Joining) -> None:
    ada, *fans = [await join(name) for name in ("ada", "ben", "cem", "dan", "eve")]
    post_id = await published(ada)
    for fan in fans:
        await fan.client.like(post_id)
    likers = [fan.id for fan in reversed(fans)]

    async def shown() -> list[str]:
        return [one.id for one in await listed(ada.client.likers(post_id))]

    await settles(shown, likers)
    await fans[1].client.unlike(post_id)
    await settles(shown, [one for one in likers if one != fans[1].id])


async def test_telemetry_is_taken_and_reports_are_made(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    post_id = await published(ada)
    now = datetime.now(UTC)
    seen: Any = [
        Observation(type="impression", post_id=post_id, surface="feed", at=now),
        Observation(type="dwell", post_id=post_id, surface="feed", at=now, dwell_ms=4_000),
        Observation(type="view", post_id="1", surface="feed", at=now),
    ]
    assert await ben.client.observe(seen) == 3
    with pytest.raises(Invalid):
        await ben.client.observe([Observation(type="view", post_id=post_id, surface="feed", at=now - timedelta(9))])
    await ben.client.report("post", post_id, "spam", note="look")
    # A position in the topic of reports is one that every later query of the same client carries along.
    assert (await ben.client.get_post(post_id)).id == post_id
