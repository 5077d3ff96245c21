"""The leaving worker may die before or after any change that it makes; another one goes on to the same end."""

from dataclasses import fields
from typing import Any

import pytest

from leaving.worker import LeavingWorker
from tests.unit.leaving.world import ANNA, OTHERS_KEYS, World, left_rows
from tests.unit.mortal import Killed, Mortal
from tests.unit.streams.river import visible_rows

_CHANGES = frozenset(
    {
        *("append_all", "erase", "move", "close", "revoke", "rest", "release", "remove"),
        *("abort_upload", "delete", "drop", "purge"),
    }
)


def mortal_worker(world: World, calls: dict[str, Any]) -> LeavingWorker:
    vault = type(world.vault)(
        **{part.name: Mortal(getattr(world.vault, part.name), calls, _CHANGES) for part in fields(world.vault)}
    )
    ports = {
        "log": world.river.log,
        "keyring": world.river.keys,
        "objects": world.objects,
        "cache": world.river.cache,
        "timelines": world.river.timelines,
        "recent": world.river.recent,
        "seen": world.river.seen,
        "shared_caches": world.shared_caches,
    }
    return LeavingWorker(
        world.resources(vault=vault, **{name: Mortal(port, calls, _CHANGES) for name, port in ports.items()})
    )


async def erased_with_one_death(dies_at: int, after: bool) -> tuple[World, int]:
    """The world after an erasure whose worker died once; changes that were left until its death."""
    world = World()
    await world.live()
    await world.begin()
    calls = {"left": dies_at, "after": after}
    try:
        await world.erase(mortal_worker(world, calls))
    except Killed:
        await world.river.pump()
    row = await world.erase()
    assert row.receipt is not None
    return world, calls["left"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_death_at_any_change_ends_in_the_same_world(after: bool) -> None:
    undisturbed, _ = await erased_with_one_death(0, after)
    expected = visible_rows(undisturbed.river.rows)
    dies_at, left = 0, 0
    while left <= 0:
        dies_at += 1
        world, left = await erased_with_one_death(dies_at, after)
        assert visible_rows(world.river.rows) == expected, f"died at change {dies_at}"
        assert left_rows(world.river.rows) == []
        assert sorted(world.objects.objects) == sorted(OTHERS_KEYS)
        assert await world.vault.credentials.get(ANNA) is None
        assert [row async for row in world.vault.uploads.of(ANNA)] == []
    assert dies_at > 25, "an erasure should have had more changes to die at"
