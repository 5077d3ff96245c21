"""The three-node cluster that stores are tested against."""

from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from infra.local.cluster import valkey_cluster
from infra.local.ports import is_free, pick_free_port_base

pytestmark = pytest.mark.integration


def test_keys_live_on_three_masters_and_nothing_is_left_behind(tmp_path: Path) -> None:
    base = pick_free_port_base()
    with valkey_cluster(tmp_path, base) as url:
        client = RedisCluster.from_url(url)
        for number in range(60):
            client.set(f"key:{number}", number)
        holders = {client.get_node_from_key(f"key:{number}").port for number in range(60)}
        assert [client.get(f"key:{number}") for number in range(60)] == [str(number).encode() for number in range(60)]
        client.close()
    assert len(holders) == 3
    assert all(is_free(port) for port in holders)
