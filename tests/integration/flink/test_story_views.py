"""Story views: each viewer counts once, and what is told never goes back for whoever keeps the greatest count."""

import asyncio
import random
from collections import defaultdict

import pytest

from photolog.ids import now_ms
from schemas.events import StoryViewCounted, StoryViewed
from streams.flink_jobs import story_views
from tests.integration.flink.verification import verified
from tests.integration.flink_world import FlinkWorld, eventually

STORIES, VIEWERS, VIEWS = 5, 300, 3_000


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_every_viewer_counts_once_through_a_kill(
    flink: FlinkWorld, flink_environment: dict[str, str], pytestconfig: pytest.Config
) -> None:
    draw = random.Random(pytestconfig.getoption("--hypothesis-seed"))
    first_id, now = now_ms() << 20, now_ms()
    views = [
        StoryViewed(
            viewer_id=draw.randrange(1, VIEWERS),
            story_id=first_id + min(int(draw.expovariate(1)), STORIES - 1),
            owner_id=77,
            at_ms=now + number,
            published_ms=now,
            expires_ms=now + 86_400_000,
        )
        for number in range(VIEWS)
    ]
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for view in views:
        seen[view.story_id].add(view.viewer_id)
    await flink.append(*views[: VIEWS // 2])
    await flink.checkpointed(story_views.NAME)
    restarts = await flink.restarts(story_views.NAME)
    flink.kill()
    for begin in range(VIEWS // 2, VIEWS, 100):
        await flink.append(*views[begin : begin + 100])
        await asyncio.sleep(0.02)

    async def counted() -> dict[int, int]:
        greatest: dict[int, int] = {}
        for one in await flink.read(StoryViewCounted):
            if one.event.story_id in seen:
                greatest[one.event.story_id] = max(one.event.views, greatest.get(one.event.story_id, 0))
        return greatest

    async def is_whole() -> bool:
        return await counted() == {story_id: len(viewers) for story_id, viewers in seen.items()}

    await eventually(is_whole)
    await flink.checkpointed(story_views.NAME)
    assert await flink.restarts(story_views.NAME) > restarts
    assert await is_whole()
    told = [one for one in await flink.read(StoryViewCounted) if one.event.story_id in seen]
    assert {(one.event.story_id, one.event.viewer_id) for one in told} == {
        (story_id, viewer_id) for story_id, viewers in seen.items() for viewer_id in viewers
    }
    counts = {(one.event.story_id, one.event.viewer_id, one.event.views) for one in told}
    assert len({one.event_id for one in told}) == len(counts), "one id for each count of each viewer of each story"
    assert await verified(flink_environment, story_views.NAME) >= STORIES
    assert all(one.key == str(one.event.story_id).encode() for one in told)
