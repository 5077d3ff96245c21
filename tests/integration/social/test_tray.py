"""Trays on real engines: their order, what was seen, what is lost and filled again, and the second of a story's end."""

import asyncio
from typing import Any

import pytest

from photolog.errors import NotFound
from photolog.ids import now_ms
from photolog.timestamps import rfc3339
from projections.seen_filter import day_ends_ms, day_of
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_seen import RedisSeen, seen_key
from projections.stores.seen_reading import seen_among
from projections.stores.user_stories_reading import live_stories
from projections.story_cards import story_key
from projections.user_stories import user_stories_key
from schemas import events as e
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, settles
from tests.integration.workers import Hand

DAY_MS = 86_400_000


async def tell(hand: Hand, owner: Person, life_ms: int = DAY_MS, audience: e.StoryAudience = "everyone") -> str:
    """A story that is there from now on, as the gateway and the stories job make it."""
    story_id, media_id, published_ms = hand.ids.next(), hand.ids.next(), now_ms()
    media = e.MediaItem(media_id=media_id, width=640, height=480, variants=["w320.jpeg"])
    owner_id = int(owner.id)
    positions = await hand.append(
        e.StoryCreated(story_id=story_id, owner_id=owner_id, media_id=media_id, audience=audience, alt_text=None),
        e.StoryPublished(
            story_id=story_id,
            owner_id=owner_id,
            published_ms=published_ms,
            expires_ms=published_ms + life_ms,
            media=media,
        ),
    )
    await hand.applied("stories", positions)
    return str(story_id)


async def told(viewer: Person) -> dict[str, Any]:
    return await viewer.client.transport.query("/v1/stories/tray", dict[str, Any])


async def order(viewer: Person) -> list[tuple[str, bool]]:
    return [(one["account"]["id"], one["unseen"]) for one in (await told(viewer))["items"]]


async def see(viewer: Person, *story_ids: str) -> None:
    views = [{"story_id": story_id, "at": rfc3339(now_ms())} for story_id in story_ids]
    await viewer.client.transport.command("POST", "/v1/stories/views", dict[str, Any], {"views": views})


async def lose_caches(redis: Any) -> None:
    """All that a tray is read from; no positions, which other tests stand on."""
    for kind in ("user_stories", "seen", "story", "close", "account", "relations", "following"):
        async for key in redis.scan_iter(f"{kind}:*"):
            await redis.unlink(key)


async def test_a_tray_is_ordered_and_what_was_seen_goes_back(join: Joining, hand: Hand) -> None:
    ada, ben, cem, viewer = [await join(name) for name in ("ada", "ben", "cem", "viewer")]
    for owner in (ada, ben, cem):
        await viewer.client.follow(owner.id)
    stories = [await tell(hand, owner) for owner in (ada, ben, cem)]
    await settles(lambda: order(viewer), [(cem.id, True), (ben.id, True), (ada.id, True)])
    await see(viewer, stories[2], stories[2])
    await settles(lambda: order(viewer), [(ben.id, True), (ada.id, True), (cem.id, False)])
    before = await told(viewer)

    redis, viewer_id, day = hand.redis, int(viewer.id), day_of(now_ms())
    lists = [user_stories_key(int(owner.id)) for owner in (ada, ben, cem)]
    ends = [await redis.pexpiretime(key) for key in lists]
    await lose_caches(redis)
    assert await told(viewer) == before
    assert [await redis.pexpiretime(key) for key in lists] == ends, "each ends with its story, as before"
    assert await redis.pexpiretime(seen_key(viewer_id, day)) == day_ends_ms(day)
    assert await redis.exists(story_key(int(stories[0]))) == 0, "a card is read when somebody asks for it"


async def test_a_short_story_is_gone_at_its_second(join: Joining, hand: Hand) -> None:
    ada, viewer = await join("ada"), await join("viewer")
    await viewer.client.follow(ada.id)
    story_id = await tell(hand, ada, life_ms=4_000)
    ends_ms = await hand.redis.pexpiretime(story_key(int(story_id)))
    assert await order(viewer) == [(ada.id, True)]
    await asyncio.sleep(max(0.0, (ends_ms - now_ms() - 300) / 1_000))
    assert await order(viewer) == [(ada.id, True)]
    await asyncio.sleep((ends_ms - now_ms()) / 1_000)
    assert (await told(viewer))["items"] == []
    assert await hand.redis.exists(story_key(int(story_id))) == 0
    await hand.redis.unlink(user_stories_key(int(ada.id)))
    assert (await told(viewer))["items"] == [], "nor is it in the rows"


@pytest.mark.parametrize("step_ms", [30 * 3_600_000, -30 * 3_600_000], ids=["ahead", "behind"])
async def test_a_gateway_whose_clock_steps_leaves_nothing_wrong_behind(join: Joining, hand: Hand, step_ms: int) -> None:
    ada, ben, viewer = [await join(name) for name in ("ada", "ben", "viewer")]
    for owner in (ada, ben):
        await viewer.client.follow(owner.id)
    stories = {owner.id: await tell(hand, owner) for owner in (ada, ben)}
    await see(viewer, stories[ada.id])
    await settles(lambda: order(viewer), [(ben.id, True), (ada.id, False)])
    await lose_caches(hand.redis)

    # What the gateway reads and fills, by a clock of its own, on the same engines.
    rows = CassandraRows(hand.session, lambda: now_ms() + step_ms)
    cache, seen = RedisCache(hand.redis, DAY_MS), RedisSeen(hand.redis)
    owner_ids, published_ms = [int(owner.id) for owner in (ada, ben)], {int(one): now_ms() for one in stories.values()}
    live, left = await live_stories(rows, cache, owner_ids, now_ms() + step_ms, 10)
    assert (set(live), left) == (set() if step_ms > 0 else set(owner_ids), 0)
    assert await seen_among(rows, seen, int(viewer.id), published_ms) == {int(stories[ada.id])}
    assert await order(viewer) == [(ben.id, True), (ada.id, False)]


async def test_the_owner_is_told_who_saw_a_story(join: Joining, hand: Hand) -> None:
    ada, ben, eve = [await join(name) for name in ("ada", "ben", "eve")]
    story_id = await tell(hand, ada)
    counted = [
        e.StoryViewCounted(
            story_id=int(story_id),
            owner_id=int(ada.id),
            viewer_id=int(viewer.id),
            viewed_ms=now_ms() + views,
            views=views,
            expires_ms=now_ms() + DAY_MS,
        )
        for views, viewer in ((1, ben), (2, eve))
    ]
    await hand.applied("story_views", await hand.append(*counted))
    path = f"/v1/stories/{story_id}/viewers"
    page = await ada.client.transport.query(path, dict[str, Any])
    assert page["summary"]["text"] == f"Viewed by @{eve.username} and @{ben.username}"
    assert [one["id"] for one in page["items"]] == [eve.id, ben.id]
    for other in (ben, eve):
        try:
            await other.client.transport.query(path, dict[str, Any])
        except NotFound:
            continue
        raise AssertionError("a viewer is told who else saw it")
