"""The filter of digests on a real Valkey node and on a cluster of three: whatever it loses, it says no wrong no."""

import hashlib
import secrets
from typing import Any

import pytest

from transcode.fingerprints.bloom import BloomShape
from transcode.fingerprints.seen_digests import SeenDigests

pytestmark = pytest.mark.integration
SHAPE = BloomShape.of(20_000, 0.001, shards=8)


@pytest.fixture(params=["node_client", "cluster_client"])
def client(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def name() -> str:
    return f"seen-{secrets.token_hex(4)}"


def digests(start: int, count: int) -> list[bytes]:
    return [hashlib.sha256(str(number).encode()).digest() for number in range(start, start + count)]


async def filled(client: Any, name: str, contents: list[bytes]) -> SeenDigests:
    seen = SeenDigests(client, SHAPE, name)
    marker = await seen.begin_filling()
    await seen.add(contents)
    assert await seen.finish_filling(marker)
    return seen


async def wrong_noes(seen: SeenDigests, contents: list[bytes]) -> int:
    return sum([not await seen.may_contain(digest) for digest in contents])


async def keys_of(client: Any, name: str) -> list[bytes]:
    return [key async for key in client.scan_iter(match=f"{name}:*")]


async def test_a_filter_that_was_never_filled_may_contain_everything(client: Any, name: str) -> None:
    seen = SeenDigests(client, SHAPE, name)
    assert await seen.may_contain(digests(0, 1)[0])
    await seen.add(digests(0, 10))
    assert await seen.may_contain(digests(99, 1)[0])


async def test_a_whole_filter_forgets_nothing_and_seldom_errs(client: Any, name: str) -> None:
    seen = await filled(client, name, digests(0, 2_500))
    await seen.add(digests(2_500, 10))
    assert await wrong_noes(seen, digests(2_400, 110)) == 0
    assert sum([await seen.may_contain(digest) for digest in digests(50_000, 300)]) < 10


async def test_what_comes_during_a_filling_is_in_it(client: Any, name: str) -> None:
    seen = SeenDigests(client, SHAPE, name)
    marker = await seen.begin_filling()
    await seen.add(digests(0, 5))
    assert await seen.may_contain(digests(70, 1)[0])
    assert await seen.finish_filling(marker)
    assert await seen.finish_filling(marker)
    assert await wrong_noes(seen, digests(0, 5)) == 0


async def test_a_shard_that_was_lost_may_contain_everything_until_it_is_filled(client: Any, name: str) -> None:
    contents = digests(0, 100)
    seen = await filled(client, name, contents)
    for key in await keys_of(client, name):
        await client.delete(key)
    assert await wrong_noes(seen, contents) == 0
    await seen.add(digests(200, 100))
    assert await wrong_noes(seen, contents) == 0
    await filled(client, name, contents)
    assert not await seen.may_contain(digests(999, 1)[0])


async def test_a_filling_that_lost_a_shard_on_the_way_is_not_whole(client: Any, name: str) -> None:
    seen, contents = SeenDigests(client, SHAPE, name), digests(0, 100)
    marker = await seen.begin_filling()
    await seen.add(contents[:50])
    await client.delete((await keys_of(client, name))[0])
    await seen.add(contents[50:])
    assert not await seen.finish_filling(marker)
    assert await wrong_noes(seen, contents) == 0


async def test_a_filling_that_another_replaced_makes_nothing_whole(client: Any, name: str) -> None:
    seen = SeenDigests(client, SHAPE, name)
    first = await seen.begin_filling()
    await seen.begin_filling()
    assert not await seen.finish_filling(first)
    assert await seen.may_contain(digests(0, 1)[0])


async def test_a_filter_of_another_size_is_another(client: Any, name: str) -> None:
    await filled(client, name, digests(0, 10))
    assert await SeenDigests(client, BloomShape.of(40_000, 0.001, shards=8), name).may_contain(digests(77, 1)[0])


async def test_it_takes_no_more_memory_than_its_size(client: Any, name: str) -> None:
    await filled(client, name, digests(0, 3_000))
    sizes = [await client.strlen(key) for key in await keys_of(client, name)]
    assert len(sizes) == SHAPE.shards
    assert max(sizes) <= SHAPE.shard_bits // 8 + 1 + 16
