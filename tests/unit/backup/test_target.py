"""A restore writes into an empty system only, and goes on with what it began itself."""

from collections.abc import Callable

import pytest

from photolog.errors import Conflict
from schemas.topics import POSTS
from tests.unit.backup.world import MemoryShelf, System, back_up, restore
from tests.unit.mortal import Killed


def _post(system: System) -> None:
    system.add(POSTS.name, 1, b"1")


def _person(system: System) -> None:
    system.person(3)


def _positions(system: System) -> None:
    system.row("positions", projection="posts")


def _worker(system: System) -> None:
    system.row("nodes", node=4)


def _cache(system: System) -> None:
    system.redis.keys = 7


def _likes(system: System) -> None:
    system.row("likes", actor_id=3)


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (_post, "Kafka: posts/1 ends at 1"),
        (_person, "Cassandra: credentials has rows"),
        (_positions, "Cassandra: positions has rows"),
        (_worker, "a gateway or a worker ran within the last three minutes"),
        (_cache, "Redis: 7 keys"),
        (_likes, "Cassandra: likes has rows"),
    ],
)
async def test_whatever_is_there_is_in_the_way_and_is_named(left: Callable[[System], None], told: str) -> None:
    shelf, fresh = MemoryShelf(), System().migrate()
    await back_up(System().migrate(), shelf)
    left(fresh)
    with pytest.raises(Conflict, match=told):
        await restore(shelf, fresh)
    assert fresh.markers.marker is None


async def test_a_topic_with_more_partitions_is_in_the_way() -> None:
    shelf = MemoryShelf()
    await back_up(System().migrate(2), shelf)
    with pytest.raises(Conflict, match="accounts has 3 partitions, and had 2"):
        await restore(shelf, System().migrate(3))


async def test_one_restore_is_done_once_and_goes_on_with_its_own_backup_only() -> None:
    shelf, other, fresh, system = MemoryShelf(), MemoryShelf(), System(), System().migrate()
    _post(system)
    await back_up(system, shelf)
    _post(system)
    await back_up(system, other)
    with pytest.raises(Killed):
        await restore(shelf, fresh, {"left": 36, "after": False})
    assert fresh.markers.marker is not None
    with pytest.raises(Conflict, match=r"from another backup.* is under way"):
        await restore(other, fresh)
    with pytest.raises(Conflict, match=r"of other erased accounts.* is under way"):
        await restore(shelf, fresh, erased=[3])
    await restore(shelf, fresh)
    with pytest.raises(Conflict, match="was restored before"):
        await restore(shelf, fresh)
