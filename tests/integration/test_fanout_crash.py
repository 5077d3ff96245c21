"""A Faust worker is killed in the middle of a fan-out; every follower has every post all the same."""

import asyncio

from projections.posts import PUBLISHED_POSTS
from schemas import events as e
from tests.integration.workers import Hand, WorkerProcess, eventually
from tests.unit.streams.scenario import post, ready

FOLLOWERS = 400
POSTS = 40


async def with_followers(hand: Hand, author: int) -> list[int]:
    """Followers of an author, each with a timeline."""
    followers = [hand.ids.next() for _ in range(FOLLOWERS)]
    await hand.applied(
        "graph",
        await hand.append(
            *(
                e.FollowCreated(follower_id=follower, followee_id=author, wanted_status="active")
                for follower in followers
            )
        ),
    )
    await asyncio.gather(*(hand.resources.timelines.open(follower) for follower in followers))
    return followers


async def entries(hand: Hand, followers: list[int]) -> int:
    """Entries in all of these timelines."""
    pages = await asyncio.gather(*(hand.feed_of(follower) for follower in followers))
    return sum(map(len, pages))


async def fed(hand: Hand) -> int:
    """How far the feed job has come, over all partitions."""
    return sum(stored.next_offset for stored in (await hand.positions("feed")).values())


async def test_every_follower_has_every_post_after_a_kill_in_the_middle_of_the_fan_out(
    workers: list[WorkerProcess], hand: Hand
) -> None:
    author = hand.ids.next()
    followers = await with_followers(hand, author)
    media = [hand.ids.next() for _ in range(POSTS)]
    posts = [hand.ids.next() for _ in range(POSTS)]
    await hand.append(
        *(ready(medium, author) for medium in media),
        *(post(post_id, author, medium) for post_id, medium in zip(posts, media, strict=True)),
    )

    async def fan_out_has_begun() -> bool:
        return await entries(hand, followers[:8]) > 0

    await eventually(fan_out_has_begun)
    for worker in workers:
        worker.kill()
    delivered_at_kill, fed_at_kill = await entries(hand, followers), await fed(hand)

    await hand.settled()
    assert 0 < delivered_at_kill < FOLLOWERS * POSTS, "the kill was not in the middle of the fan-out"
    assert fed_at_kill < await fed(hand)
    expected = [row.post_id for row in await hand.resources.rows.scan(PUBLISHED_POSTS, (author,), limit=POSTS)]
    feeds = await asyncio.gather(*(hand.feed_of(follower) for follower in followers))
    assert sorted(expected) == sorted(posts)
    assert [feed for feed in feeds if feed != expected] == []
    assert all(-9 in worker.exits for worker in workers)
