"""A Redis that is away or full is told from a request that is wrong."""

import pytest
from pydantic import SecretStr
from redis.exceptions import ResponseError

from infra.local.ports import pick_free_port_base, ports_from
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.errors import StoreUnavailable
from photolog.settings import RedisSettings
from projections.stores.port import CacheWrite, Delivery
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.redis_scripts import ScriptRunner
from tests.contract.sample_tables import fresh_id
from tests.contract.timeline_subjects import entry, filled, shown


async def test_a_node_that_nobody_serves_is_unavailable() -> None:
    port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
    client = connect_redis(RedisSettings(url=SecretStr(f"redis://127.0.0.1:{port}/0")))
    timelines, cache = RedisTimelines(client, 20, 60_000), RedisCache(client, 60_000)
    with pytest.raises(StoreUnavailable):
        await timelines.page(1, before=None, limit=1)
    with pytest.raises(StoreUnavailable):
        await timelines.deliver([Delivery(entry(1), tuple(range(1, 10_000)))])
    with pytest.raises(StoreUnavailable):
        await cache.read([("key", ("field",))])
    await client.aclose()


@pytest.mark.integration
async def test_a_full_node_is_unavailable_for_writes_and_loses_nothing(node_client: RedisClient) -> None:
    timelines, cache, account = RedisTimelines(node_client, 20, 60_000), RedisCache(node_client, 60_000), fresh_id()
    await filled(timelines, account, 0, entry(5))
    await node_client.execute_command("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable):
            await timelines.deliver([Delivery(entry(6), (account,))])
        with pytest.raises(StoreUnavailable):
            await cache.merge([CacheWrite("key", "field", 1, b"value")])
    finally:
        await node_client.execute_command("CONFIG", "SET", "maxmemory", "0")
    assert await shown(timelines, account) == [5]


@pytest.mark.integration
async def test_scripts_that_a_node_forgot_are_loaded_again(node_client: RedisClient) -> None:
    timelines, account = RedisTimelines(node_client, 20, 60_000), fresh_id()
    await filled(timelines, account)
    await node_client.execute_command("SCRIPT FLUSH")
    assert await timelines.deliver([Delivery(entry(5), (account,) * 1_000)]) == 1
    assert await shown(timelines, account) == [5]


@pytest.mark.integration
async def test_a_wrong_request_is_no_unavailability(node_client: RedisClient) -> None:
    with pytest.raises(ResponseError):
        await ScriptRunner(node_client).command("ZADD", "one argument too few")
