"""What every store of viewers' filters must do."""

import random
from typing import Any

import pytest

from photolog.engines.redis_client import RedisClient
from photolog.ids import now_ms
from projections.seen_filter import DAY_MS, SIZES_BYTES, capacity_of, day_of, seen_in
from projections.seen_stories import SEEN_STORIES, SeenStoryRow
from projections.stores.memory_rows import MemoryRows
from projections.stores.memory_seen import MemorySeen
from projections.stores.redis_seen import RedisSeen, seen_key
from projections.stores.seen_port import SeenFilters, SeenStory
from projections.stores.seen_reading import seen_among
from projections.writes import Positioned, put
from tests.contract.sample_tables import fresh_id

TODAY = day_of(now_ms())
STORIES = list(range(1, 40))


@pytest.fixture(
    params=[
        "memory",
        pytest.param("node_client", marks=pytest.mark.integration),
        pytest.param("cluster_client", marks=pytest.mark.integration),
    ]
)
def store(request: pytest.FixtureRequest) -> SeenFilters:
    return MemorySeen() if request.param == "memory" else RedisSeen(request.getfixturevalue(request.param))


async def filled(store: SeenFilters, viewer_id: int, *story_ids: int, day: int = TODAY) -> None:
    opened = await store.open(viewer_id, day)
    await store.fill(viewer_id, day, story_ids, opened=opened)


async def told(store: SeenFilters, viewer_id: int, day: int = TODAY) -> list[int] | None:
    (held,) = await store.read(viewer_id, [day])
    if held is None:
        return None
    return [story_id for story_id, seen in zip(STORIES, seen_in(held, viewer_id, STORIES), strict=True) if seen]


async def test_only_reading_makes_a_filter(store: SeenFilters) -> None:
    viewer = fresh_id()
    await store.record([SeenStory(viewer, TODAY, 1)])
    assert await told(store, viewer) is None
    assert await store.read(viewer, []) == []


async def test_what_is_filled_and_what_is_recorded_later_is_told_by_day(store: SeenFilters) -> None:
    viewer = fresh_id()
    await filled(store, viewer, 3, 5)
    await filled(store, viewer, 7, day=TODAY - 1)
    await store.record([SeenStory(viewer, TODAY, 9), SeenStory(viewer, TODAY - 1, 11), SeenStory(fresh_id(), TODAY, 1)])
    await store.record([SeenStory(viewer, TODAY, 9)])
    assert await told(store, viewer) == [3, 5, 9]
    assert await told(store, viewer, TODAY - 1) == [7, 11]
    assert [held is not None for held in await store.read(viewer, [TODAY - 1, TODAY - 2, TODAY])] == [True, False, True]


async def test_what_is_seen_during_a_fill_is_kept(store: SeenFilters) -> None:
    viewer = fresh_id()
    opened = await store.open(viewer, TODAY)
    await store.record([SeenStory(viewer, TODAY, 4), SeenStory(viewer, TODAY, 6)])
    assert await told(store, viewer) is None
    assert await store.open(viewer, TODAY) == opened
    await store.fill(viewer, TODAY, [2], opened=opened)
    assert await told(store, viewer) == [2, 4, 6]


async def test_a_fill_of_another_life_and_one_of_what_is_filled_change_nothing(store: SeenFilters) -> None:
    viewer = fresh_id()
    opened = await store.open(viewer, TODAY)
    await store.drop(viewer, [TODAY])
    await store.fill(viewer, TODAY, [2], opened=opened)
    assert await told(store, viewer) is None
    await filled(store, viewer, 8)
    assert await store.open(viewer, TODAY) == ""
    await store.fill(viewer, TODAY, [2], opened=opened)
    await store.fill(viewer, TODAY, [2], opened="")
    assert await told(store, viewer) == [8]


async def test_a_day_that_is_over_is_not_kept(store: SeenFilters) -> None:
    viewer = fresh_id()
    await filled(store, viewer, 8, day=TODAY - 3)
    await store.record([SeenStory(viewer, TODAY - 3, 9)])
    assert await told(store, viewer, TODAY - 3) is None


async def test_nothing_that_was_seen_is_missing_however_much_comes(store: SeenFilters) -> None:
    viewer, rows = fresh_id(), MemoryRows()
    drawn = random.Random(3)
    seen: dict[int, int] = {}
    unseen = {drawn.randrange(1 << 62): TODAY * DAY_MS for _ in range(3_000)}
    for offset in range(15):
        some = {drawn.randrange(1 << 62): TODAY * DAY_MS + drawn.randrange(DAY_MS) for _ in range(100)}
        seen |= some
        # Rows first, as the job does it.
        await rows.apply([[Positioned(put(SEEN_STORIES, _row(viewer, *one)), offset) for one in some.items()]])
        await store.record([SeenStory(viewer, TODAY, story_id) for story_id in some])
        assert await seen_among(rows, store, viewer, seen) == seen.keys()
    assert len(await seen_among(rows, store, viewer, unseen)) <= 0.015 * len(unseen)


async def test_once_filled_no_row_is_read(store: SeenFilters) -> None:
    viewer, rows = fresh_id(), MemoryRows()
    await rows.apply([[Positioned(put(SEEN_STORIES, _row(viewer, 5, TODAY * DAY_MS)), 1)]])
    asked = {5: TODAY * DAY_MS, 6: TODAY * DAY_MS}
    assert await seen_among(rows, store, viewer, asked) == {5}
    assert await seen_among(MemoryRows(), store, viewer, asked) == {5}


@pytest.mark.integration
async def test_a_filter_is_given_up_when_it_is_full_and_never_grows(node_client: RedisClient) -> None:
    store, viewer = RedisSeen(node_client), fresh_id()
    await filled(store, viewer)
    capacity = capacity_of(SIZES_BYTES[0])
    drawn = random.Random(4)
    lengths = set()
    for number in range(capacity + 20):  # noqa: B007  # it tells how many went in
        await store.record([SeenStory(viewer, TODAY, drawn.randrange(1 << 62))] * 2)
        (held,) = await store.read(viewer, [TODAY])
        if held is None:
            break
        lengths.add(len(held))
    assert held is None
    assert number >= capacity - 1
    assert lengths == {SIZES_BYTES[0]}


@pytest.mark.integration
async def test_the_largest_filter_goes_on(node_client: RedisClient) -> None:
    store, viewer = RedisSeen(node_client), fresh_id()
    drawn = random.Random(5)
    story_ids = [drawn.randrange(1 << 62) for _ in range(14_000)]
    await filled(store, viewer, *story_ids)
    await store.record([SeenStory(viewer, TODAY, 77)])
    (held,) = await store.read(viewer, [TODAY])
    assert held is not None
    assert seen_in(held, viewer, [77, *story_ids]).all()
    assert len(held) == SIZES_BYTES[-1]


@pytest.mark.integration
@pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.63])
async def test_ten_thousand_seen_stories_take_little_memory(node_client: RedisClient, share: float) -> None:
    """Of both days together, however they are spread."""
    store, viewer = RedisSeen(node_client), fresh_id()
    drawn = random.Random(6)
    today = round(10_000 * share)
    for day, stories in ((TODAY, today), (TODAY - 1, 10_000 - today)):
        await filled(store, viewer, *(drawn.randrange(1 << 62) for _ in range(stories)), day=day)
    client: Any = node_client
    used = [await client.memory_usage(seen_key(viewer, day), samples=0) for day in (TODAY, TODAY - 1)]
    assert sum(used) <= 1.3 * 11_981


def _row(viewer_id: int, story_id: int, published_ms: int) -> SeenStoryRow:
    return SeenStoryRow(viewer_id=viewer_id, published_ms=published_ms, story_id=story_id, expires_ms=1 << 62)
