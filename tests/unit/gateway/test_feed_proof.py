"""Feeds as the caches make them against feeds as the rows make them."""

from collections.abc import AsyncIterator

import pytest

from gateway.feed_proof import FeedProof, FeedVerdict
from projections.cards import likes_key, post_key
from projections.stores.port import CacheWrite, TimelineEntry
from tests.unit.gateway.feed_world import World
from tests.unit.gateway.test_feed import ALICE, BOB, VIEWER, world_of


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs here stays so; it need not be waited for."""
    monkeypatch.setattr("gateway.feed_proof._PAUSE_SECONDS", 0.001)


async def people() -> AsyncIterator[int]:
    for account_id in (VIEWER, ALICE, BOB):
        yield account_id


async def proven(world: World) -> FeedVerdict:
    return await FeedProof(world.services()).verdict(people())


async def lived() -> tuple[World, int]:
    """Two authors' posts, one of them liked, in a feed whose caches are warm."""
    world = await world_of(ALICE, BOB)
    posts = [await world.post(author) for author in (ALICE, BOB) * 3]
    await world.like(VIEWER, posts[2])
    await world.read_all(VIEWER, 5)
    return world, posts[2]


async def test_a_feed_whose_caches_are_right_is_the_same_card_by_card() -> None:
    world, _ = await lived()
    verdict = await proven(world)
    assert (verdict.feeds, verdict.cached.rows, verdict.differences) == (3, 6 + 3 + 3, 0)
    assert str(verdict.cached) == str(verdict.rows)


async def test_a_field_that_was_planted_in_a_cache_is_found_on_the_card_that_shows_it() -> None:
    world, liked = await lived()
    await world.cache.merge([CacheWrite(likes_key(VIEWER), str(liked), 1 << 40, None)])
    verdict = await proven(world)
    assert [(found.account_id, found.post_id) for found in verdict.shown] == [(VIEWER, str(liked))]
    (found,) = verdict.shown
    assert (found.cached["viewer"]["liked"], found.rows["viewer"]["liked"]) == (False, True)
    assert str(verdict.cached) != str(verdict.rows)


async def test_an_entry_that_a_timeline_lacks_is_found() -> None:
    world, liked = await lived()
    page = await world.timelines.page(VIEWER, before=None, limit=50)
    await world.timelines.drop(VIEWER)
    opened = await world.timelines.open(VIEWER)
    kept: list[TimelineEntry] = [entry for entry in page.entries if entry.post_id != liked]
    await world.timelines.merge(VIEWER, kept, low_mark_ms=0, opened=opened)
    verdict = await proven(world)
    assert [(found.post_id, found.cached is None) for found in verdict.shown] == [(str(liked), True)]
    assert await world.cache.read([(post_key(liked), ["card"])])
