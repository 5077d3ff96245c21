"""A worker may die before or after any call to a store or the log; what it leaves is always made whole."""

import copy
from typing import Any

import pytest

from projections.cards import cache_writes
from projections.catalogue import TABLES
from projections.comments import COMMENT_COUNTS
from projections.followees import followee_write
from projections.graph import FollowingRow
from projections.stores.memory_cache import MemoryCache
from projections.stores.port import Source
from projections.stores.recent_reading import recent_stretches
from projections.stores.top_comments import read_top_comments
from projections.stores.user_stories_reading import read_user_stories
from projections.stories import LIVE_STORIES
from tests.unit.mortal import Killed, Mortal
from tests.unit.streams.river import River, cached_fields, feed_of, visible_rows
from tests.unit.streams.scenario import PEOPLE, live

# What changes something: dying at a read is dying after the change before it.
_CALLS = {"apply", "advance", "merge", "deliver", "append_all", "record", "fill"}


def mortal_river(dies_at: int, after: bool) -> tuple[River, dict[str, Any]]:
    calls = {"left": dies_at, "after": after}
    river = River()
    for part in ("rows", "timelines", "recent", "cache", "log"):
        setattr(river, part, Mortal(getattr(river, part), calls, _CALLS))
    river.restart()
    return river, calls


async def lived_with_one_death(dies_at: int, after: bool) -> tuple[River, int]:
    """The world after the scenario, in which the worker died once and another took over; calls left."""
    river, calls = mortal_river(dies_at, after)
    pump = river.pump

    async def revived(batch_records: int = 3) -> None:
        try:
            await pump(batch_records)
        except Killed:
            river.restart()
            # Another batch size, as another process cuts the log elsewhere.
            await pump(5)

    river.pump = revived  # type: ignore[method-assign]
    await live(river)
    for part in ("rows", "timelines", "recent", "cache", "log"):
        setattr(river, part, getattr(river, part)._inner)
    return river, calls["left"]


async def seen(river: River) -> tuple[Any, ...]:
    recent = await recent_stretches(river.rows, river.recent, PEOPLE, None, 50)
    return visible_rows(river.rows), [await feed_of(river, person) for person in PEOPLE], recent


async def cache_from_rows(river: River) -> dict[tuple[str, str], bytes | None]:
    """Every cached value as the rows give it."""
    by_name = {table.name: table for table in TABLES}
    right = {}
    for (table, _), partition in river.rows._partitions.items():
        for key, kept in copy.copy(partition).items():
            writes = cache_writes(by_name[table].key(*key), kept)
            if isinstance(kept.row, FollowingRow):
                row = kept.row
                writes.append(followee_write(row.follower_id, row.followee_id, row.since_ms, kept.offset))
            for write in writes:
                right[write.key, write.field] = write.value
            if table == COMMENT_COUNTS.name:
                top = await read_top_comments(river.rows, key[0])
                right[top.key, top.field] = top.value
            if table == LIVE_STORIES.name:
                listed = await read_user_stories(river.rows, key[0])
                right[listed.key, listed.field] = listed.value
    return right


def all_is_counted_once(river: River) -> None:
    """Every record of a folded topic is in the counts of its partition, and they add up. Rows go before witnesses."""
    stored = {**river.timelines._positions, **river.rows._positions}
    for (topic, partition), records in river.log.partitions.items():
        for step in river.steps.get(topic, ()):
            counts = stored[Source(step.name, topic, partition)].counts
            assert counts.consumed == len(records)
            assert counts.consumed == counts.applied + counts.duplicates + counts.noops


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_death_at_any_change_ends_in_the_same_rows_feeds_and_caches(after: bool) -> None:
    undisturbed, _ = await lived_with_one_death(0, after)
    expected = await seen(undisturbed)
    dies_at, left = 0, 0
    while left <= 0:
        dies_at += 1
        river, left = await lived_with_one_death(dies_at, after)
        assert await seen(river) == expected, f"died at change {dies_at}"
        all_is_counted_once(river)
        right = await cache_from_rows(river)
        assert {place: right.get(place) for place in cached_fields(river.cache)} == cached_fields(river.cache)
    assert dies_at > 50, "the scenario should have had more changes to die at"


async def test_everything_delivered_again_from_the_start_changes_nothing() -> None:
    river = River()
    await live(river)
    before = await seen(river)
    river.rows._positions.clear()
    river.timelines._positions.clear()
    river.restart()
    await river.pump(batch_records=7)
    assert await seen(river) == before


async def test_rows_lost_whole_are_folded_again_from_the_log() -> None:
    river = River()
    await live(river)
    rows, *_ = await seen(river)
    lost = River(log=river.log, timelines=river.timelines, cache=MemoryCache())
    await lost.pump()
    assert visible_rows(lost.rows) == rows
