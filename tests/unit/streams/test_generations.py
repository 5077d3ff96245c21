"""Generations beside the live one: folded again, kept up to date with their caches, compared."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.errors import PositionTimeout
from photolog.ids import now_ms
from photolog.log.ends import Ends
from photolog.log.record import StoredRecord
from projections.cache_owners import generation_field, owner_of, plain_field
from projections.cards import cache_writes, likes_key, post_key
from projections.catalogue import OWNER_OF, PROJECTIONS
from projections.fold import Projection
from projections.generations import Selection
from projections.likes import LIKE_COUNTS, LIKES_PROJECTION
from projections.packing import ranked_key
from projections.stores.generation_cache import GenerationCache
from projections.stores.generation_rows import GenerationRows
from projections.stores.memory_recent import MemoryRecent
from projections.stores.memory_seen import MemorySeen
from projections.stores.port import MISSING, CacheWrite, Source, StoredPosition
from projections.stores.remembered_rows import RememberedRows
from projections.writes import Positioned, put
from schemas import events as e
from schemas.events import PostLiked
from streams.generation_steps import building_step, following_step
from streams.jobs import JobResources
from streams.publication import ReachRule
from streams.step import Step
from streams.verifying import Verification
from tests.unit.projections.test_features import measured
from tests.unit.streams.river import NOW_MS, SERDE, River, cached_fields, visible_rows
from tests.unit.streams.scenario import live


def resources_at(river: River, selection: Selection) -> JobResources:
    return JobResources(
        rows=GenerationRows(river.rows, lambda: selection),
        timelines=river.timelines,
        recent=MemoryRecent(),
        seen=MemorySeen(),
        cache=GenerationCache(river.cache, lambda: selection),
        cache_form=cache_writes,
        log=river.log,
        serde=SERDE,
        keys=river.keys,
        reach=ReachRule(100, 90, 1_000),
        timeline_entries=50,
        clock_ms=lambda: NOW_MS,
        selected=lambda: selection,
    )


async def fold_all(river: River, projection: Projection, step: Step, batch: int = 3) -> None:
    """Everything that the step lacks of the log."""
    for (topic, partition), records in sorted(river.log.partitions.items()):
        if topic in {folded.name for folded in projection.topics}:
            await step.resume(topic, partition)
            left: Sequence[StoredRecord] = records[await step.position(topic, partition) :]
            for start in range(0, len(left), batch):
                await step.run(topic, partition, left[start : start + batch])


def rows_of(river: River, name: str, number: int) -> dict[Any, Any]:
    """The rows of a generation, by table and key."""
    suffix = "" if number == 1 else f"_g{number}"
    return {
        (table.removesuffix(suffix), key): row
        for (table, key), row in visible_rows(river.rows).items()
        if table.endswith(suffix) and OWNER_OF.get(table.removesuffix(suffix)) == name
    }


@pytest.fixture
async def river() -> River:
    found = River()
    await live(found)
    ranked = [e.RankedHashtag(hashtag="dusk", people=3)]
    found.append(
        e.HashtagBarred(hashtag="noon", reason="blocked", operator="o"),
        e.HashtagsRanked(scope="world", window_start_ms=0, window_end_ms=now_ms(), hashtags=ranked),
        measured(now_ms(), now_ms() + 3_600_000),
    )
    await found.pump()
    return found


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
@pytest.mark.parametrize("remembered", [0, 2, 1_000])
async def test_a_generation_that_is_folded_again_is_the_same(
    river: River, projection: Projection, remembered: int
) -> None:
    appended = {place: len(records) for place, records in river.log.partitions.items()}
    resources = resources_at(river, Selection({projection.name: 2}))
    if remembered:
        rows = RememberedRows(resources.rows, fresh=True, rows_max=remembered)
        resources = replace(resources, rows=rows)
    await fold_all(river, projection, building_step(resources, projection, 2))
    expected = rows_of(river, projection.name, 1)
    assert rows_of(river, projection.name, 2) == expected
    assert expected or projection.name in ("reports", "blocks")
    assert {place: len(records) for place, records in river.log.partitions.items()} == appended, "nothing follows again"


async def test_a_rebuild_that_was_stopped_goes_on_without_what_it_remembered(river: River) -> None:
    for projection in PROJECTIONS:
        resources = resources_at(river, Selection({projection.name: 2}))
        for fresh in (True, False):
            rows = RememberedRows(resources.rows, fresh=fresh)
            step = building_step(replace(resources, rows=rows), projection, 2)
            if fresh:
                for (topic, partition), records in sorted(river.log.partitions.items()):
                    if topic in {folded.name for folded in projection.topics} and len(records) > 1:
                        await step.resume(topic, partition)
                        await step.run(topic, partition, records[: len(records) // 2])
            else:
                await fold_all(river, projection, step)
        assert rows_of(river, projection.name, 2) == rows_of(river, projection.name, 1)


async def test_a_generation_that_is_followed_has_its_caches_as_the_live_one_has(river: River) -> None:
    for projection in PROJECTIONS:
        resources = resources_at(river, Selection({projection.name: 2}))
        await fold_all(river, projection, following_step(resources, projection, 2))
    fields = cached_fields(river.cache)
    others = {(key, field): value for (key, field), value in fields.items() if plain_field(field)[1] == 2}
    assert others
    for (key, field), value in others.items():
        assert fields[key, plain_field(field)[0]] == value, (key, field)
    owners = {owner_of(key, plain_field(field)[0]) for key, field in others}
    assert owners == {
        "accounts",
        "barred_hashtags",
        "trending",
        "posts",
        "graph",
        "likes",
        "saves",
        "comments",
        "shares",
        "story_views",
        "stories",
        "close_friends",
    }


async def test_what_a_generation_says_is_not_seen_by_another(river: River) -> None:
    one = GenerationCache(river.cache, lambda: Selection({}))
    two = GenerationCache(river.cache, lambda: Selection({"likes": 2}))
    await two.merge([CacheWrite(likes_key(1), "9", 5, b"1"), CacheWrite(post_key(9), "likes/0", 5, b"7")])
    await two.merge([CacheWrite(post_key(9), "likes/*", 0, None), CacheWrite(post_key(9), "card", 5, b"c")])
    assert await two.read([(likes_key(1), ["9"]), (post_key(9), ["likes", "card"])]) == [[b"1"], [b"7", b"c"]]
    assert await one.read([(likes_key(1), ["9"]), (post_key(9), ["likes", "card"])]) == [[MISSING], [MISSING, b"c"]]
    assert await two.read_all(likes_key(1)) == {"9": b"1"}
    assert await one.read_all(likes_key(1)) == {}
    await one.drop([likes_key(1)])
    assert await two.read_all(likes_key(1)) == {}


class Behind:
    """Rows that are ahead of their positions."""

    def __init__(self, rows: Any, positions: Mapping[Source, StoredPosition]) -> None:
        self._rows = rows
        self._positions = positions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        return self._positions


async def verified(river: River, wait_seconds: float = 1.0) -> Any:
    other = GenerationRows(river.rows, lambda: Selection({"likes": 2}))
    return await Verification("likes", river.rows, other, partial(ends_of, river), wait_seconds).verdict()


async def ends_of(river: River) -> Ends:
    topics = {topic.name for topic in LIKES_PROJECTION.topics}
    return {place: len(records) for place, records in river.log.partitions.items() if place[0] in topics}


async def test_a_row_that_was_planted_is_named_with_both_values(river: River) -> None:
    resources = resources_at(river, Selection({"likes": 2}))
    await fold_all(river, LIKES_PROJECTION, building_step(resources, LIKES_PROJECTION, 2))
    assert (await verified(river)).same
    pages = [page async for page in river.rows.ranked_pages(LIKE_COUNTS)]
    key = next(LIKE_COUNTS.key(*ranked_key(LIKE_COUNTS, ranked)) for page in pages for ranked in page)
    kept = (await river.rows.load([key]))[key]
    wrong = msgspec.structs.replace(kept.row, count=99)
    await resources.rows.apply([[Positioned(put(LIKE_COUNTS, wrong), kept.offset + 1)]])
    verdict = await verified(river)
    assert not verdict.same
    assert [(found.key, found.live, found.other) for found in verdict.shown] == [(key, kept.row, wrong)]
    assert str(verdict.live) != str(verdict.other)
    again = await verified(river)
    assert str(again.differences) == str(verdict.differences), "the same differences have the same digest"


async def test_rows_that_the_live_generation_has_before_its_position_moved_do_not_differ(river: River) -> None:
    resources = resources_at(river, Selection({"likes": 2}))
    following = following_step(resources, LIKES_PROJECTION, 2)
    await fold_all(river, LIKES_PROJECTION, following)
    before = dict(await river.rows.positions("likes"))
    river.append(PostLiked(actor_id=901, post_id=902))
    await river.pump()
    in_the_middle_of_a_batch = Behind(river.rows, before)
    other = GenerationRows(river.rows, lambda: Selection({"likes": 2}))
    async with asyncio.TaskGroup() as group:
        verification = Verification("likes", in_the_middle_of_a_batch, other, partial(ends_of, river))
        comparing = group.create_task(verification.verdict())
        await asyncio.sleep(0.05)
        await fold_all(river, LIKES_PROJECTION, following)
    assert comparing.result().same, comparing.result().shown


async def test_a_generation_that_lags_is_not_compared(river: River) -> None:
    with pytest.raises(PositionTimeout):
        await verified(river, wait_seconds=0)


@given(st.binary(max_size=24))
def test_whatever_is_the_name_of_a_field_it_is_told_of_a_generation(name: bytes) -> None:
    field = name.decode(errors="backslashreplace")
    assert plain_field(field)[1] == 1 or "~" in field
    assert plain_field(generation_field("likes/3", 7)) == ("likes/3", 7)


def test_a_member_of_bytes_that_holds_the_mark_is_no_generation() -> None:
    assert plain_field("a~\\xb3\\x10") == ("a~\\xb3\\x10", 1)
