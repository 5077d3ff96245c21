"""A Valkey node and a three-node cluster of this test run's own, which may be flushed at will."""

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from infra.local.cluster import valkey_cluster
from infra.local.ports import OFFSETS, pick_free_port_base, ports_from
from infra.local.valkey_node import valkey_node
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.settings import RedisSettings

_CLUSTER_PORTS = [name for name in OFFSETS if name.startswith("cluster-")]


@pytest.fixture(scope="session")
def valkey_node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
    with valkey_node(tmp_path_factory.mktemp("valkey"), port) as url:
        yield url


@pytest.fixture(scope="session")
def valkey_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey_cluster(tmp_path_factory.mktemp("valkey-cluster"), pick_free_port_base(_CLUSTER_PORTS)) as url:
        yield url


@pytest.fixture(scope="session")
async def node_client(valkey_node_url: str) -> AsyncIterator[RedisClient]:
    client = connect_redis(RedisSettings(url=SecretStr(valkey_node_url)))
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def cluster_client(valkey_cluster_url: str) -> AsyncIterator[RedisClient]:
    client = connect_redis(RedisSettings(url=SecretStr(valkey_cluster_url), cluster=True))
    yield client
    await client.aclose()
