"""A celebrity's counts and first followers are a minute old at most; who sees what of them is decided now."""

from dataclasses import replace
from typing import Any

import pytest

from gateway import celebrities as module
from gateway.celebrities import exact_sums, followers_behind, recent_sums
from gateway.endpoint import Call, ListQuery
from gateway.queries.graph import AccountPage, followers
from gateway.remembered import Celebrities, Remembered
from gateway.services import Services
from projections.graph import FOLLOWERS, GRAPH_COUNTS, GraphCountRow
from projections.tables import KeyTuple
from projections.writes import Positioned, put
from tests.unit.gateway.feed_world import World

VIEWER, STAR, QUIET = 1, 2, 3
FANS = tuple(range(100, 140))
THRESHOLD = 10


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def world_of() -> World:
    world = World()
    for account_id in (VIEWER, STAR, QUIET, *FANS):
        await world.account(account_id)
    for fan in FANS:
        await world.follow(fan, STAR)
    await world.follow(FANS[0], QUIET)
    for account_id, count in ((STAR, len(FANS)), (QUIET, 1)):
        await counted(world, account_id, count)
    return world


async def counted(world: World, account_id: int, count: int) -> None:
    world.offset += 1
    row = GraphCountRow(account_id=account_id, counter="followers", source=0, count=count)
    await world.rows.apply([[Positioned(put(GRAPH_COUNTS, row), world.offset)]])


def services_of(world: World, clock: Clock) -> Services:
    services = world.services()
    limits = services.settings.limits.model_copy(update={"celebrity_followers": THRESHOLD})
    settings = services.settings.model_copy(update={"limits": limits})
    return replace(services, settings=settings, celebrities=Celebrities(clock))


def scans_of(world: World) -> list[str]:
    made: list[str] = []
    scan: Any = world.rows.scan

    async def noted(table: Any, partition: Any, **named: Any) -> Any:
        made.append(table.name)
        return await scan(table, partition, **named)

    world.rows.scan = noted  # type: ignore[method-assign]
    return made


async def listed(services: Services, account_id: int, limit: int = 7) -> list[int]:
    ids: list[int] = []
    after: KeyTuple | None = None
    while rows := await followers_behind(services, account_id, after, limit):
        ids += [row.follower_id for row in rows]
        after = (rows[-1].shard, rows[-1].slot, rows[-1].follower_id)
    return ids


@pytest.mark.parametrize("first", [5, 39, 40, 41, 300])
async def test_pages_join_where_the_remembered_ones_end(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_FOLLOWERS", first)
    world = await world_of()
    services = services_of(world, Clock())
    for _ in range(2):
        found = await listed(services, STAR)
        assert sorted(found) == list(FANS)
        assert len(found) == len(set(found))
    assert await listed(services, QUIET) == [FANS[0]]


async def test_a_celebritys_rows_are_read_once_a_minute_and_others_each_time() -> None:
    world, clock = await world_of(), Clock()
    services, scans = services_of(world, clock), scans_of(world)
    for _ in range(5):
        assert len(await followers_behind(services, STAR, None, 20)) == 20
        assert (await recent_sums(services, STAR)).followers == len(FANS)
    assert scans.count(GRAPH_COUNTS.name) == 1
    assert scans.count(FOLLOWERS.name) == 16
    await counted(world, STAR, 41)
    assert (await exact_sums(services, STAR)).followers == 41
    assert (await recent_sums(services, STAR)).followers == 40
    clock.seconds += 60
    assert (await recent_sums(services, STAR)).followers == 41
    scans.clear()
    for _ in range(3):
        await recent_sums(services, QUIET)
    assert scans == [GRAPH_COUNTS.name] * 3


async def test_a_block_holds_at_once_also_for_remembered_followers() -> None:
    world = await world_of()
    services = services_of(world, Clock())

    async def shown() -> set[int]:
        answer = await followers(
            services, Call({"account_id": str(STAR)}, query=ListQuery(limit=100), viewer_id=VIEWER)
        )
        assert isinstance(answer.body, AccountPage)
        return {int(item.id) for item in answer.body.items}

    assert await shown() == set(FANS)
    await world.relate(FANS[3], VIEWER, blocks=True)
    await world.account(FANS[4], suspended=True)
    assert await shown() == set(FANS) - {FANS[3], FANS[4]}


async def test_a_removed_follower_is_off_the_list_at_once_also_where_it_is_remembered() -> None:
    world = await world_of()
    services = services_of(world, Clock())

    async def pages(limit: int) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            query = ListQuery(limit=limit, cursor=cursor)
            answer = await followers(services, Call({"account_id": str(STAR)}, query=query, viewer_id=VIEWER))
            assert isinstance(answer.body, AccountPage)
            found += [int(item.id) for item in answer.body.items]
            cursor = answer.body.next_cursor
            if cursor is None:
                return found

    assert sorted(await pages(100)) == list(FANS)
    await world.relate(FANS[3], STAR, follows="none")
    for limit in (7, 100):
        assert sorted(await pages(limit)) == sorted(set(FANS) - {FANS[3]})


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    clock = Clock()
    kept: Remembered[str] = Remembered(entries_max=2, life_seconds=60, clock=clock)
    for account_id, value in ((1, "a"), (2, "b"), (1, "c"), (3, "d")):
        kept.keep(account_id, value)
    assert [kept.get(account_id) for account_id in (1, 2, 3)] == ["c", None, "d"]
    clock.seconds += 60
    assert [kept.get(account_id) for account_id in (1, 2, 3)] == [None, None, None]
