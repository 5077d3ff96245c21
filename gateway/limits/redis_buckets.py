"""Buckets in Redis or Valkey: one small key each, taken from by one script, by the server's clock."""

from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby

from gateway.limits.port import Bucket, Taken
from photolog.engines.redis_client import RedisClient
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script_of

_TAKE = script_of((files("gateway.limits") / "take.lua").read_text())


class RedisBuckets:
    """A `BucketStore` in Redis. A call that is made again because its answer was lost takes twice: never too little.

    Args:
        client: a node's or a cluster's.
    """

    def __init__(self, client: RedisClient) -> None:
        self._runner = ScriptRunner(client)

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """See `BucketStore.take`."""
        if not self._runner.clustered:
            (answer,) = await self._runner.run([_call(buckets, 1)])
            return Taken(answer[0] == 1, tuple(answer[1:]))
        return await self._take_apart(buckets)

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """See `BucketStore.give_back`."""
        await self._runner.run([_call(group, -1) for group in self._groups(buckets)])

    async def _take_apart(self, buckets: Sequence[Bucket]) -> Taken:
        groups = self._groups(buckets)
        answers = await self._runner.run([_call(group, 1) for group in groups])
        gave = [group for group, answer in zip(groups, answers, strict=True) if answer[0] == 1]
        if 0 < len(gave) < len(groups):
            await self.give_back([bucket for group in gave for bucket in group])
        debt_of = {
            bucket: debt_us
            for group, answer in zip(groups, answers, strict=True)
            for bucket, debt_us in zip(group, answer[1:], strict=True)
        }
        return Taken(len(gave) == len(groups), tuple(debt_of[bucket] for bucket in buckets))

    def _groups(self, buckets: Sequence[Bucket]) -> list[list[Bucket]]:
        """Buckets that may share a call."""
        if not self._runner.clustered:
            return [list(buckets)]
        ordered = sorted(buckets, key=_partition)
        return [list(group) for _, group in groupby(ordered, _partition)]


def _partition(bucket: Bucket) -> str:
    return bucket.partition


def _call(buckets: Sequence[Bucket], tokens: int) -> ScriptCall:
    words = [word for bucket in buckets for word in (bucket.rate.token_us, bucket.rate.debt_us_max)]
    return ScriptCall(_TAKE, [bucket.key for bucket in buckets], [*words, tokens])
