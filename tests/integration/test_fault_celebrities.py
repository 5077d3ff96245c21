"""Authors whose posts are pushed one day and pulled the next, while workers are killed and Redis is flushed."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from projections.posts import POSTS, PostRow
from schemas import events as e
from tests.integration.fault_checks import holds
from tests.integration.fault_wishes import Wish
from tests.integration.fault_world import PEOPLE, FaultWorld
from tests.integration.workers import Hand, WorkerProcess, eventually

# What most people of the town have: each follow or unfollowing takes somebody across.
CELEBRITY_FOLLOWERS = PEOPLE * 2 // 3
FAITHFUL = 3
KILLS = 6
POSTS_EACH = 4
SENTINEL = "fault:sentinel"


@pytest.fixture
def easily_famous(workers: list[WorkerProcess]) -> Iterator[list[WorkerProcess]]:
    """The two workers, for whom few followers are many."""
    with ExitStack() as changes:
        for worker in workers:
            changes.enter_context(worker.changed(PHOTOLOG_LIMITS__CELEBRITY_FOLLOWERS=str(CELEBRITY_FOLLOWERS)))
        yield workers


async def followed(town: FaultWorld, verb: str, kind: type[e.Event]) -> None:
    """All follow the star, or only the faithful any more; returns once that is seen."""
    fans = town.residents[:-1]
    path, followers = f"/v1/accounts/{town.star.account_id}/follow", len(fans) if verb == "PUT" else FAITHFUL
    for fan in fans if verb == "PUT" else fans[FAITHFUL:]:
        await town.wish(Wish(fan, verb, path, kind, (fan.account_id, town.star.account_id)))

    async def is_seen() -> bool:
        answer = await town.request(town.star, "GET", "/v1/me")
        return bool(answer.json()["counts"]["followers"] == followers)

    await eventually(is_seen)


async def crosses(town: FaultWorld, night: asyncio.Event) -> None:
    """The star rises and falls, and posts each time.

    A post goes out by the followers at the moment of its publication, so the next crossing waits for it.
    """
    while not night.is_set():
        for verb, kind in (("PUT", e.FollowCreated), ("DELETE", e.FollowDeleted)):
            await followed(town, verb, kind)
            await town.published(town.star)


async def test_authors_who_cross_the_threshold_while_workers_die_and_redis_is_flushed_lose_and_repeat_nothing(
    easily_famous: list[WorkerProcess], hand: Hand, town: FaultWorld
) -> None:
    chance, earlier, night = random.Random(town.seed), set(town.posts), asyncio.Event()
    await hand.redis.set(SENTINEL, "here")
    async with town.living():
        crossing = asyncio.create_task(crosses(town, night))
        for kill in range(KILLS):
            posted = asyncio.create_task(town.everyone_posts(POSTS_EACH))
            await asyncio.sleep(chance.uniform(1, 3))
            if kill == KILLS // 2:
                await hand.redis.flushall()
                assert await hand.redis.get(SENTINEL) is None
            easily_famous[kill % 2].kill()
            await posted
        night.set()
        await crossing
    await holds(town, hand, easily_famous)
    ways = defaultdict(set)
    for post_id in set(town.posts) - earlier:
        post = cast(PostRow, await hand.resources.rows.get(POSTS.key(post_id)))
        ways[post.owner_id].add(post.delivery)
    # That somebody crossed is what this is about.
    assert ways[town.star.account_id] == {"push", "pull"}, dict(ways)
