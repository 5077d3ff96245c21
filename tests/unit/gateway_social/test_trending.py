"""What trends is one read of the cache, is shown while it is new, and leaves out at once what operators bar."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.commands import barred_hashtags as commands
from gateway.commands.barred_hashtags import BarHashtag
from gateway.endpoint import Call, NoQuery
from gateway.geohash import geohash
from gateway.queries import trending as queries
from gateway.queries.trending import Trending, TrendingQuery
from photolog.errors import Conflict, Invalid, NotFound, StoreUnavailable
from projections.stores.memory_cache import MemoryCache
from projections.trend_cards import SHOWN_MS
from schemas import events as e
from tests.unit.gateway_social.world import World

CELL = geohash(52.5, 13.4)


class Counted(MemoryCache):
    """Counts the round trips; it may be away."""

    reads = 0
    away = False

    async def read(self, wanted: Any) -> Any:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return await super().read(wanted)


@pytest.fixture
def world() -> World:
    """A world whose cached entries end by its own clock."""
    world = World()
    world.cache = Counted(clock_ms=lambda: world.now_ms)
    world.services = dataclasses.replace(world.services, cache=world.cache)
    return world


async def rank(world: World, hashtags: dict[str, int], scope: str = "world") -> e.HashtagsRanked:
    event = e.HashtagsRanked(
        scope=scope,
        window_start_ms=world.now_ms - 3_600_000,
        window_end_ms=world.now_ms,
        hashtags=[e.RankedHashtag(hashtag=name, people=people) for name, people in hashtags.items()],
    )
    await world.happen(event)
    return event


async def operate(world: World, handler: Any, body: Any = None, **path: str) -> None:
    outcome = await handler(world.services, Call(path, body, role="operator", operator="op"))
    for event in outcome.events:
        await world.happen(event)


async def shown(world: World, **query: Any) -> Trending:
    found: Trending = (await world.answer(None, queries.trending, query=TrendingQuery(**query))).body
    return found


def pairs(trending: Trending) -> Sequence[tuple[str, int]]:
    return [(one.hashtag, one.people) for one in trending.hashtags]


async def test_the_most_used_come_first_with_their_window(world: World) -> None:
    await rank(world, {"c": 2, "b": 9, "a": 2})
    found = await shown(world, limit=2)
    assert (found.scope, pairs(found)) == ("world", [("b", 9), ("a", 2)])
    assert found.window_start is not None
    assert found.window_end is not None
    assert found.window_start < found.window_end


async def test_a_warm_read_is_one_round_trip_and_touches_no_rows(world: World) -> None:
    await rank(world, {"a": 1})
    await rank(world, {"b": 1}, CELL)
    await operate(world, commands.bar, BarHashtag(hashtag="z"))
    object.__setattr__(world.services, "rows", None)
    before = world.cache.reads  # type: ignore[attr-defined]
    assert pairs(await shown(world)) == [("a", 1)]
    assert pairs(await shown(world, latitude=52.5, longitude=13.4)) == [("b", 1)]
    assert world.cache.reads == before + 2  # type: ignore[attr-defined]


async def test_what_the_cache_lost_is_filled_from_the_rows_once(world: World) -> None:
    await rank(world, {"a": 1, "b": 3})
    await operate(world, commands.bar, BarHashtag(hashtag="b"))
    world.cache.flush()
    assert pairs(await shown(world)) == [("a", 1)]
    object.__setattr__(world.services, "rows", None)
    assert pairs(await shown(world)) == [("a", 1)]


async def test_the_rows_answer_while_the_cache_is_away(world: World) -> None:
    await rank(world, {"a": 1, "b": 3})
    await operate(world, commands.bar, BarHashtag(hashtag="b"))
    world.cache.away = True  # type: ignore[attr-defined]
    assert pairs(await shown(world)) == [("a", 1)]


async def test_nothing_trends_where_nothing_is_known_or_the_last_window_is_old(world: World) -> None:
    empty = await shown(world)
    assert (empty.scope, empty.window_start, empty.window_end, empty.hashtags) == ("world", None, None, [])
    event = await rank(world, {"a": 1})
    world.now_ms = event.window_end_ms + SHOWN_MS - 1
    assert pairs(await shown(world)) == [("a", 1)]
    world.now_ms += 1
    assert pairs(await shown(world)) == []
    assert pairs(await shown(world)) == []
    await rank(world, {"b": 1})
    assert pairs(await shown(world)) == [("b", 1)]


async def test_a_place_is_its_cell_and_the_world_where_nothing_trends_there(world: World) -> None:
    await rank(world, {"a": 1})
    here = {"latitude": 52.5, "longitude": 13.4}
    assert (await shown(world, **here)).scope == "world"
    assert pairs(await shown(world, scope=CELL)) == []
    await rank(world, {"b": 1}, CELL)
    assert ((await shown(world, **here)).scope, pairs(await shown(world, **here))) == (CELL, [("b", 1)])


@pytest.mark.parametrize("query", [{"latitude": 1.0}, {"scope": "world", "latitude": 1.0, "longitude": 1.0}])
async def test_half_a_place_and_two_scopes_are_refused(world: World, query: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await shown(world, **query)


async def test_a_barred_hashtag_is_gone_at_once_in_any_spelling_and_comes_back(world: World) -> None:
    await rank(world, {"straße": 9, "strasse": 5, "a": 1})
    await operate(world, commands.bar, BarHashtag(hashtag="#STRASSE", reason="sensitive"))
    assert "strasse" not in dict(pairs(await shown(world)))
    listed = (await world.answer(None, queries.barred, query=NoQuery())).body.items
    assert [(one.hashtag, one.reason, one.operator) for one in listed] == [("strasse", "sensitive", "op")]
    await operate(world, commands.allow, hashtag="Strasse")
    assert "strasse" in dict(pairs(await shown(world)))
    with pytest.raises(NotFound):
        await operate(world, commands.allow, hashtag="strasse")


@pytest.mark.parametrize("text", ["two words", "a#b", "#", "1", "a-b", ""])
async def test_what_is_no_hashtag_cannot_be_barred(world: World, text: str) -> None:
    with pytest.raises(Invalid):
        await operate(world, commands.bar, BarHashtag(hashtag=text))


async def test_the_list_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "BARRED_MAX", 2)
    for name in ("a", "b"):
        await operate(world, commands.bar, BarHashtag(hashtag=name))
    with pytest.raises(Conflict):
        await operate(world, commands.bar, BarHashtag(hashtag="c"))
    await operate(world, commands.bar, BarHashtag(hashtag="b", reason="sensitive"))
