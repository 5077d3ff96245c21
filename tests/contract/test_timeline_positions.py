"""What every timeline store must do with positions."""

from typing import Any

import pytest
from redis.asyncio.cluster import RedisCluster

from photolog.engines.redis_client import RedisClient
from projections.stores.counts import Counts
from projections.stores.parked import Parked
from projections.stores.port import Source, StoredPosition
from projections.stores.redis_feeds import RedisTimelines
from tests.contract.sample_tables import fresh_id
from tests.contract.test_timeline_stores import subject  # noqa: F401  # a fixture
from tests.contract.timeline_subjects import TimelineSubject

OUTPUTS = {("feed.fanout", 3): 40, ("posts", 0): 7}


def fresh_source(partition: int = 0) -> Source:
    return Source(f"projection-{fresh_id()}", "feed.fanout", partition)


async def test_a_new_store_has_no_position(subject: TimelineSubject) -> None:  # noqa: F811
    source = fresh_source()
    assert await subject.store.position(source) is None
    assert await subject.store.positions(source.projection) == {}


async def test_a_position_moves_forward_only(subject: TimelineSubject) -> None:  # noqa: F811
    source = fresh_source()
    for next_offset in (5, 3, 5, 10, 9):
        await subject.store.advance(source, StoredPosition(next_offset))
    assert await subject.store.position(source) == StoredPosition(10)


async def test_a_position_keeps_its_outputs(subject: TimelineSubject) -> None:  # noqa: F811
    source = fresh_source()
    await subject.store.advance(source, StoredPosition(5, OUTPUTS))
    await subject.store.advance(source, StoredPosition(4, {("posts", 0): 99}))
    assert await subject.store.position(source) == StoredPosition(5, OUTPUTS)


async def test_counts_and_parked_keys_come_back_with_their_position(subject: TimelineSubject) -> None:  # noqa: F811
    source = fresh_source()
    first = StoredPosition(3, OUTPUTS, Counts(consumed=3, applied=1, duplicates=1, dead=1, below=3))
    parked = {b"17": Parked(3, since=4, settled=3, last=2**50), b"\x00\xff|": Parked(0, 8, 8, 8)}
    second = StoredPosition(9, counts=Counts(9, 2, 3, 1, 1, 2, below=9), parked=parked)
    assert await subject.store.advance(source, first)
    assert await subject.store.advance(source, StoredPosition(2, counts=Counts(2, 2, below=2)))
    assert await subject.store.position(source) == first
    assert await subject.store.advance(source, second, expected=3)
    assert await subject.store.positions(source.projection) == {source: second}


async def test_partitions_and_projections_have_positions_of_their_own(subject: TimelineSubject) -> None:  # noqa: F811
    first, other = fresh_source(), fresh_source()
    second = Source(first.projection, first.topic, 1)
    for next_offset, source in enumerate((first, second, other), start=1):
        await subject.store.advance(source, StoredPosition(next_offset))
    assert await subject.store.positions(first.projection) == {first: StoredPosition(1), second: StoredPosition(2)}


async def test_a_flushed_store_lost_its_positions(subject: TimelineSubject) -> None:  # noqa: F811
    source = fresh_source()
    await subject.store.advance(source, StoredPosition(5))
    await subject.flush()
    assert await subject.store.position(source) is None
    await subject.store.advance(source, StoredPosition(2))
    assert await subject.store.position(source) == StoredPosition(2)


async def test_a_store_flushed_under_a_batch_does_not_take_the_batchs_position(subject: TimelineSubject) -> None:  # noqa: F811
    source = fresh_source()
    assert await subject.store.advance(source, StoredPosition(5), expected=0)
    assert await subject.store.advance(source, StoredPosition(8), expected=5)
    await subject.flush()
    assert not await subject.store.advance(source, StoredPosition(9), expected=8)
    assert await subject.store.position(source) is None


@pytest.mark.integration
@pytest.mark.parametrize("client", ["node_client", "cluster_client"])
async def test_a_position_of_a_version_that_did_not_count_begins_at_zero(
    request: pytest.FixtureRequest, client: str
) -> None:
    redis: Any = request.getfixturevalue(client)
    store, source = RedisTimelines(redis, 20, 60_000), fresh_source()
    await store.advance(source, StoredPosition(5, OUTPUTS))
    for tag in range(1024):
        key = f"positions:{{{tag}}}:{source.projection}"
        if await redis.exists(key):
            await redis.hset(key, f"{source.topic}/0", b'6|[["posts",0,7]]')
    assert await store.position(source) == StoredPosition(6, {("posts", 0): 7}, Counts())


@pytest.mark.integration
async def test_one_lost_master_takes_the_position_back(cluster_client: RedisClient) -> None:
    assert isinstance(cluster_client, RedisCluster)
    store, source, other = RedisTimelines(cluster_client, 20, 60_000), fresh_source(), fresh_source(1)
    await store.advance(source, StoredPosition(5))
    master = cluster_client.get_primaries()[1]
    await cluster_client.execute_command("FLUSHALL", target_nodes=master)
    assert await store.position(source) is None
    assert await store.positions(source.projection) == {}
    await store.advance(source, StoredPosition(3))
    assert await store.position(source) == StoredPosition(3)
    assert await store.positions(source.projection) == {source: StoredPosition(3)}
    assert await store.position(other) is None
