"""The home feed over real stores gives what it gives over memory: exact pages, in every state of the caches."""

import itertools

import pytest

from photolog.engines.redis_client import RedisClient
from projections.stores.memory_rows import MemoryRows
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.redis_recent import RedisRecent
from tests.contract.sample_tables import fresh_id
from tests.unit.gateway.feed_world import CAP, World, read_page

pytestmark = pytest.mark.integration
_LIFE_MS = 60_000


@pytest.fixture(params=["node_client", "cluster_client"])
def client(request: pytest.FixtureRequest) -> RedisClient:
    found: RedisClient = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["memory", "cassandra"])
def world(request: pytest.FixtureRequest, client: RedisClient) -> World:
    """A world of its own: on shared stores its ids are fresh."""
    rows = MemoryRows() if request.param == "memory" else request.getfixturevalue("cassandra_rows")
    first = fresh_id(1_000)
    recent = RedisRecent(client, CAP, _LIFE_MS)
    world = World(rows=rows, recent=recent, cache=RedisCache(client, _LIFE_MS), ids=itertools.count(first))
    world.timelines = RedisTimelines(client, CAP, _LIFE_MS)
    return world


async def people(world: World, number: int) -> list[int]:
    ids = [fresh_id() for _ in range(number)]
    for account_id in ids:
        await world.account(account_id)
    return ids


async def test_every_page_is_exact_cold_warm_and_below_the_mark(world: World) -> None:
    viewer, alice, bob, celebrity, stranger = await people(world, 5)
    for followed in (alice, bob, celebrity):
        await world.follow(viewer, followed)
    await read_page(world.services(), viewer)
    for number in range(3 * CAP):
        await world.post((alice, bob, viewer, stranger, celebrity)[number % 5], pull=number % 5 == 4)
    await world.relate(viewer, bob, mutes=True)
    for lost in (False, True, False):
        if lost:
            await world.timelines.drop(viewer)
        for limit in (7, 20):
            pages = await world.read_all(viewer, limit)
            assert [post_id for page in pages for post_id in page] == world.expected(viewer)


async def test_changes_hold_on_the_very_next_page(world: World) -> None:
    viewer, alice, bob = await people(world, 3)
    for followed in (alice, bob):
        await world.follow(viewer, followed)
    posted = [await world.post(author) for author in (alice, bob, alice, bob)]
    assert (await read_page(world.services(), viewer))[0] == world.expected(viewer)
    await world.delete(posted[0])
    await world.relate(bob, viewer, blocks=True)
    assert (await read_page(world.services(), viewer))[0] == [posted[2]]
    await world.relate(bob, viewer, blocks=False)
    await world.account(alice, suspended=True)
    assert (await read_page(world.services(), viewer))[0] == [posted[3], posted[1]]
