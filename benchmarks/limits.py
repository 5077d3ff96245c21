"""Checks a second: all that a gateway does to admit a request, against one bare round trip of the same client.

Ours is the limiter over its real store: two buckets (an account's, an address's), one script on a real Valkey node, the
circuit around it, the headers of the answer. The opponent is a GET of one small key.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import perf_counter

import uvloop
from pydantic import SecretStr

from benchmarks.result import Result, paired
from gateway.circuit import Circuit
from gateway.limits.limiter import Limiter
from gateway.limits.memory_buckets import MemoryBuckets
from gateway.limits.redis_buckets import RedisBuckets
from gateway.limits.steady_buckets import SteadyBuckets
from infra.local.ports import pick_free_port_base, ports_from
from infra.local.valkey_node import valkey_node
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.rates import QUOTA_MAX, Rate
from photolog.settings import LimitSettings, RedisSettings

_CHECKS = 20_000
_AT_ONCE = 32
_ACCOUNTS = 1_000
_CALL_SECONDS = 5.0
_WIDE = Rate(QUOTA_MAX, 1)  # nobody is refused


def run(rounds: int = 5) -> list[Result]:
    """Against one round trip, many at a time and one after the other."""
    with tempfile.TemporaryDirectory(prefix="photolog-limits-") as folder:
        port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
        with valkey_node(Path(folder), port) as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = runner.run(_connected(url))
            results = [
                _compare(runner, client, rounds, "limits", _AT_ONCE, 0.8, f"{_AT_ONCE} at a time; two buckets"),
                _compare(runner, client, rounds, "limits, alone", 1, None, "one after the other: latency"),
            ]
            runner.run(client.aclose())
            return results


def _compare(
    runner: asyncio.Runner, client: RedisClient, rounds: int, name: str, at_once: int, aim: float | None, note: str
) -> Result:
    limits = LimitSettings(rate_read=_WIDE, rate_address=_WIDE)
    circuit = Circuit("redis", _CALL_SECONDS)
    limiter = Limiter(SteadyBuckets(RedisBuckets(client), MemoryBuckets(), circuit), limits)

    async def check(number: int) -> None:
        admission = await limiter.admit("read", str(number % _ACCOUNTS), "an address")
        if admission.refusal is not None:
            raise admission.refusal

    async def bare(number: int) -> None:
        await client.execute_command("GET", "a key")

    return paired(
        name,
        "checks/s",
        lambda: runner.run(_rate(check, at_once)),
        lambda: runner.run(_rate(bare, at_once)),
        opponent_name="one GET, same client",
        aim=aim,
        rounds=rounds,
        note=note,
    )


async def _connected(url: str) -> RedisClient:
    client = connect_redis(RedisSettings(url=SecretStr(url)))
    await client.execute_command("SET", "a key", "1700000000000000")
    return client


async def _rate(once: Callable[[int], Awaitable[None]], at_once: int) -> float:
    numbers = iter(range(_CHECKS if at_once > 1 else _CHECKS // 5))
    started = perf_counter()
    await asyncio.gather(*(_work(once, numbers) for _ in range(at_once)))
    return (_CHECKS if at_once > 1 else _CHECKS // 5) / (perf_counter() - started)


async def _work(once: Callable[[int], Awaitable[None]], numbers: Iterator[int]) -> None:
    for number in numbers:
        await once(number)
