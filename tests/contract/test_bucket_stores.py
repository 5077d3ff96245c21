"""What every store of buckets does: in memory, on a Valkey node, and on a cluster of three."""

import asyncio
import secrets
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.limits.memory_buckets import MemoryBuckets
from gateway.limits.port import Bucket, BucketStore, Taken
from gateway.limits.redis_buckets import RedisBuckets
from infra.local.ports import pick_free_port_base, ports_from
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.errors import StoreUnavailable
from photolog.rates import Rate
from photolog.settings import RedisSettings

SLOW = Rate(5, 86_400)
QUICK = Rate(50, 1)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("node_client", marks=pytest.mark.integration),
        pytest.param("cluster_client", marks=pytest.mark.integration),
    ]
)
def buckets(request: pytest.FixtureRequest) -> BucketStore:
    return MemoryBuckets() if request.param == "memory" else RedisBuckets(request.getfixturevalue(request.param))


def bucket(rate: Rate = SLOW, policy: str = "read", partition: str | None = None) -> Bucket:
    """One that nobody used before, unless it is named."""
    return Bucket(partition or secrets.token_hex(8), policy, rate)


async def tokens(store: BucketStore, *taken_from: Bucket, times: int = 20) -> int:
    """How many of so many attempts got a token."""
    return sum([(await store.take(taken_from)).granted for _ in range(times)])


async def test_a_bucket_gives_what_it_holds_and_then_nothing(buckets: BucketStore) -> None:
    one = bucket()
    debts_us = [(await buckets.take([one])).debts_us[0] for _ in range(SLOW.quota)]
    assert [SLOW.left(debt_us) for debt_us in debts_us] == [4, 3, 2, 1, 0]
    refused = await buckets.take([one])
    assert not refused.granted
    assert 0 < SLOW.wait_seconds(refused.debts_us[0]) <= 86_400 / 5
    assert await tokens(buckets, bucket()) == SLOW.quota, "another's is full"


async def test_tokens_come_back_with_time(buckets: BucketStore) -> None:
    one = bucket(QUICK)
    while (await buckets.take([one])).granted:
        pass

    for _ in range(3_000):
        if (await buckets.take([one])).granted:
            return
        await asyncio.sleep(0.01)
    pytest.fail("no token came back")


async def test_no_bucket_loses_a_token_when_another_refuses(buckets: BucketStore) -> None:
    """Of one partition as of several, whichever comes first."""
    for own, shared in ((bucket(), bucket(Rate(2, 86_400), "address")), (bucket(), None)):
        crowded = shared or bucket(Rate(2, 86_400), "address", own.partition)
        assert await tokens(buckets, own, crowded) == 2
        assert await tokens(buckets, crowded, own) == 0
        assert await tokens(buckets, own) == SLOW.quota - 2


async def test_debts_come_in_the_order_of_the_buckets(buckets: BucketStore) -> None:
    named = [bucket(partition=name, policy=secrets.token_hex(4)) for name in ("c", "a", "b", "a")]
    for count, one in enumerate(named):
        assert await tokens(buckets, one, times=count) == count
    taken = await buckets.take(named)
    assert [SLOW.left(debt_us) for debt_us in taken.debts_us] == [4, 3, 2, 1]


async def test_a_token_that_is_given_back_can_be_taken_again_and_none_is_made(buckets: BucketStore) -> None:
    used, full = bucket(), bucket()
    assert await tokens(buckets, used) == SLOW.quota
    await buckets.give_back([used, full])
    assert await tokens(buckets, used) == 1
    assert await tokens(buckets, full) == SLOW.quota


async def test_many_at_once_get_no_more_than_one_after_the_other(buckets: BucketStore) -> None:
    own, shared = bucket(Rate(40, 86_400)), bucket(Rate(25, 86_400), "address")
    taken = await asyncio.gather(*(buckets.take([own, shared]) for _ in range(120)))
    assert sum(one.granted for one in taken) <= 25
    assert await tokens(buckets, shared, times=30) == 25 - sum(one.granted for one in taken)


async def test_no_more_than_burst_and_rate_allow_whatever_the_clock_does(buckets: BucketStore) -> None:
    one, started, granted = bucket(QUICK), time.monotonic(), 0
    for _ in range(20):
        granted += sum(taken.granted for taken in await asyncio.gather(*(buckets.take([one]) for _ in range(20))))
        elapsed = time.monotonic() - started
        assert granted <= QUICK.quota + QUICK.quota / QUICK.window_seconds * elapsed + 1


@given(
    rate=st.builds(Rate, st.integers(1, 50), st.integers(1, 100)),
    steps_us=st.lists(st.integers(0, 30_000_000), max_size=60),
)
@settings(max_examples=200)
def test_no_period_lets_more_through_than_burst_and_rate(rate: Rate, steps_us: list[int]) -> None:
    """Any stretch between two tokens, under a clock that also stops."""
    now_us = [10**15]
    store, one = MemoryBuckets(lambda: now_us[0]), bucket(rate)
    granted_at_us: list[int] = []
    with asyncio.Runner() as runner:
        for step_us in steps_us:
            now_us[0] += step_us
            if runner.run(store.take([one])).granted:
                granted_at_us.append(now_us[0])
    for first, from_us in enumerate(granted_at_us):
        for last, to_us in enumerate(granted_at_us[first:], start=first):
            allowed = rate.quota + (to_us - from_us) * rate.quota / (rate.window_seconds * 1_000_000)
            assert last - first + 1 <= allowed + 1e-6


async def test_a_clock_that_steps_back_empties_a_bucket_and_it_fills_from_there() -> None:
    now_us = [10**15]
    store, one = MemoryBuckets(lambda: now_us[0]), bucket(QUICK)
    await store.take([one])
    now_us[0] -= 3_600_000_000
    assert not (await store.take([one])).granted
    now_us[0] += QUICK.token_us
    assert (await store.take([one])).granted


async def test_memory_keeps_no_more_buckets_than_it_is_told() -> None:
    store, kept = MemoryBuckets(buckets_max=10), bucket()
    assert await tokens(store, kept) == SLOW.quota
    for _ in range(30):
        await store.take([bucket()])
        assert not (await store.take([kept])).granted, "what is used is not what is forgotten"
    assert len(store._full_at_us) == 10


async def test_all_who_ask_a_node_together_learn_that_it_is_away() -> None:
    port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
    client = connect_redis(RedisSettings(url=SecretStr(f"redis://127.0.0.1:{port}/0")))
    store = RedisBuckets(client)
    outcomes = await asyncio.gather(*(store.take([bucket()]) for _ in range(200)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    await client.aclose()


@pytest.mark.integration
async def test_who_leaves_keeps_nobody_waiting_who_asked_together(node_client: RedisClient) -> None:
    store, one = RedisBuckets(node_client), bucket(Rate(300, 86_400))
    asking = [asyncio.create_task(store.take([one])) for _ in range(200)]
    await asyncio.sleep(0)
    gone = {0, 1, 77, 199}  # the one whose call is under way, and some who wait for it
    for number in gone:
        asking[number].cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 60)
    assert {number for number, outcome in enumerate(outcomes) if not isinstance(outcome, Taken)} == gone
    assert (await store.take([one])).granted, "and the next is served"


@pytest.mark.integration
async def test_a_bucket_in_redis_expires_when_it_is_full(node_client: RedisClient) -> None:
    store, one = RedisBuckets(node_client), bucket()
    await store.take([one])
    life_ms = await node_client.pttl(one.key)
    assert 0 < life_ms <= SLOW.token_us // 1_000 + 1
    await store.give_back([one])
    assert await node_client.exists(one.key) == 0


@pytest.mark.integration
async def test_a_bucket_in_redis_that_was_written_under_a_later_clock_is_empty(
    node_client: RedisClient,
) -> None:
    store, one = RedisBuckets(node_client), bucket(QUICK)
    await node_client.set(one.key, str((time.time_ns() // 1_000) + 3_600_000_000))
    taken = await store.take([one])
    assert (taken.granted, taken.debts_us) == (False, (QUICK.debt_us_max,))
    assert 0 < await node_client.pttl(one.key) <= 1_000, "and it fills from there"
