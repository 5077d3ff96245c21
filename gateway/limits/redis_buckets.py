"""Buckets in Redis or Valkey: one small key each, taken from by one script, by the server's clock.

Checks that come while one is under way wait for it and go together: a client spends more on a call than Redis does on
what is in it, so that the busier a gateway is, the less a check costs.
"""

import asyncio
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby, islice
from typing import Any

from redis.exceptions import RedisError

from gateway.limits.port import Bucket, Taken
from photolog.engines.redis_client import RedisClient
from photolog.errors import StoreUnavailable
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script_of

CHECKS_PER_CALL = 64
_SCRIPT = script_of((files("gateway.limits") / "take.lua").read_text())
_TAKE, _GIVE = 1, -1
Check = Sequence[Bucket]


class RedisBuckets:
    """A `BucketStore` in Redis. A call that is made again because its answer was lost takes twice: never too little.

    Args:
        client: a node's or a cluster's.
    """

    def __init__(self, client: RedisClient) -> None:
        self._runner = ScriptRunner(client)
        self._busy = False
        self._waiting: list[tuple[Check, asyncio.Future[Taken]]] = []
        self._together: asyncio.Task[None] | None = None

    async def take(self, buckets: Check) -> Taken:
        """See `BucketStore.take`."""
        if self._busy:
            future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
            self._waiting.append((buckets, future))
            return await future
        self._busy = True
        try:
            return (await self._take([buckets]))[0]
        finally:
            self._next()

    async def give_back(self, buckets: Check) -> None:
        """See `BucketStore.give_back`."""
        await self._runner.run([_call(part, _GIVE) for part in self._parts([buckets])])

    def _next(self) -> None:
        """Let those who wait go together. Whoever left meanwhile is left out."""
        waiting = [(check, future) for check, future in self._waiting if not future.done()]
        self._waiting = waiting[CHECKS_PER_CALL:]
        self._busy = bool(waiting)
        if waiting:
            self._together = asyncio.create_task(self._take_together(waiting[:CHECKS_PER_CALL]))

    async def _take_together(self, waiting: Sequence[tuple[Check, "asyncio.Future[Taken]"]]) -> None:
        try:
            outcomes: Sequence[Taken | Exception] = await self._take([check for check, _ in waiting])
        except (StoreUnavailable, RedisError) as error:
            outcomes = [error] * len(waiting)
        finally:
            self._next()
        for (_, future), outcome in zip(waiting, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _take(self, checks: Sequence[Check]) -> list[Taken]:
        if not self._runner.clustered:
            (answer,) = await self._runner.run([_call(checks, _TAKE)])
            return list(_read(checks, iter(answer)))
        parts = list(self._parts(checks))
        answers = await self._runner.run([_call(part, _TAKE) for part in parts])
        taken = (taken for part, answer in zip(parts, answers, strict=True) for taken in _read(part, iter(answer)))
        return [await self._whole(check, taken) for check in checks]

    async def _whole(self, check: Check, taken: Iterator[Taken]) -> Taken:
        """A check from its parts. Where one of them refuses, what the others gave is put back."""
        debt_of: dict[Bucket, int] = {}
        gave: list[Bucket] = []
        for part in _by_partition(check):
            outcome = next(taken)
            debt_of |= zip(part, outcome.debts_us, strict=True)
            gave += part if outcome.granted else ()
        granted = len(gave) == len(check)
        if gave and not granted:
            await self.give_back(gave)
        return Taken(granted, tuple(debt_of[bucket] for bucket in check))

    def _parts(self, checks: Sequence[Check]) -> Iterator[Sequence[Check]]:
        """What may share a call: everything on a node, the buckets of one partition on a cluster."""
        if self._runner.clustered:
            yield from ([part] for check in checks for part in _by_partition(check))
        else:
            yield checks


def _by_partition(check: Check) -> list[Check]:
    return [list(group) for _, group in groupby(sorted(check, key=_partition), _partition)]


def _partition(bucket: Bucket) -> str:
    return bucket.partition


def _call(checks: Sequence[Check], tokens: int) -> ScriptCall:
    keys: list[str | bytes] = []
    words: list[str | bytes | int] = [tokens]
    for check in checks:
        words.append(len(check))
        for bucket in check:
            keys.append(bucket.key)
            words += (bucket.rate.token_us, bucket.rate.debt_us_max)
    return ScriptCall(_SCRIPT, keys, words)


def _read(checks: Sequence[Check], answer: Iterator[Any]) -> Iterator[Taken]:
    for check in checks:
        granted = next(answer) == 1
        yield Taken(granted, tuple(islice(answer, len(check))))
