"""Whom somebody follows, as a feed asks: from the cache where it is complete, from rows below and while it is away."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import followees as module
from gateway.followees import followees
from photolog.errors import StoreUnavailable
from projections.graph import FOLLOWINGS
from tests.unit.gateway.feed_world import World

VIEWER = 1


async def world_of(*followed: int) -> World:
    world = World()
    for account_id in followed:
        await world.follow(VIEWER, account_id)
    return world


def scans_of(world: World) -> list[Any]:
    """Every scan of the list that is made from now on."""
    made: list[Any] = []
    for name in ("scan", "scan_kept"):
        call = getattr(world.rows, name)

        async def noted(table: Any, partition: Any, *, _call: Any = call, **named: Any) -> Any:
            if table is FOLLOWINGS:
                made.append(named)
            return await _call(table, partition, **named)

        setattr(world.rows, name, noted)
    return made


async def listed(world: World) -> list[int]:
    rows = await world.rows.scan(FOLLOWINGS, (VIEWER,), limit=100)
    return [row.followee_id for row in rows]


async def test_a_list_is_scanned_once_and_then_follows_what_happens() -> None:
    world = await world_of(2, 3)
    scans, services = scans_of(world), world.services()
    assert await followees(services, VIEWER) == [2, 3]
    await world.follow(VIEWER, 4)
    await world.relate(VIEWER, 2, follows="none")
    assert sorted(await followees(services, VIEWER)) == [3, 4]
    assert len(scans) == 1


async def test_somebody_who_follows_nobody_is_known_to() -> None:
    world = await world_of()
    scans = scans_of(world)
    assert [await followees(world.services(), VIEWER) for _ in range(2)] == [[], []]
    assert len(scans) == 1


async def test_below_the_floor_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLLOWEES_KEPT", 3)
    world = await world_of(2, 3, 4, 5, 6)
    assert await followees(world.services(), VIEWER) == await listed(world)
    scans = scans_of(world)
    await world.follow(VIEWER, 7)
    await world.relate(VIEWER, 2, follows="none")
    await world.relate(VIEWER, 6, follows="none")
    assert sorted(await followees(world.services(), VIEWER)) == [3, 4, 5, 7]
    assert [scan["after"] for scan in scans] == [(0, 4)]


async def test_without_the_cache_rows_are_read() -> None:
    world = await world_of(2, 3)

    async def away(*_: Any) -> Any:
        raise StoreUnavailable("away")

    cache: Any = world.cache
    cache.read_all = cache.merge = away
    assert await followees(world.services(), VIEWER) == [2, 3]


@settings(max_examples=50)
@given(
    steps=st.lists(st.tuples(st.sampled_from(("follow", "unfollow", "look", "lose")), st.integers(2, 9)), max_size=30),
    kept=st.integers(1, 4),
)
async def test_any_history_lists_everyone_who_is_followed(steps: list[tuple[str, int]], kept: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FOLLOWEES_KEPT", kept)
        world = await world_of()
        for kind, other in steps:
            match kind:
                case "look":
                    await followees(world.services(), VIEWER)
                case "lose":
                    world.cache.flush()  # type: ignore[attr-defined]
                case _:
                    await world.relate(VIEWER, other, follows="active" if kind == "follow" else "none")
            assert sorted(await followees(world.services(), VIEWER)) == sorted(await listed(world))
