"""Buckets of this process alone: what holds while Redis is away, and in tests."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from gateway.limits.port import Bucket, Taken

BUCKETS_MAX = 100_000


def monotonic_us() -> int:
    """Microseconds of a clock that only moves forward."""
    return time.monotonic_ns() // 1_000


class MemoryBuckets:
    """A `BucketStore` in memory.

    Args:
        clock_us: microseconds.
        buckets_max: how many are kept; those that nobody asked for longest are forgotten first, which fills them.
    """

    def __init__(self, clock_us: Callable[[], int] = monotonic_us, buckets_max: int = BUCKETS_MAX) -> None:
        self._clock_us = clock_us
        self._buckets_max = buckets_max
        self._full_at_us: OrderedDict[str, int] = OrderedDict()

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """See `BucketStore.take`."""
        now_us = self._clock_us()
        debts_us = [self._debt_us(bucket, now_us) for bucket in buckets]
        wanted_us = [debt_us + bucket.rate.token_us for debt_us, bucket in zip(debts_us, buckets, strict=True)]
        if any(debt_us > bucket.rate.debt_us_max for debt_us, bucket in zip(wanted_us, buckets, strict=True)):
            return Taken(False, tuple(debts_us))
        for bucket, debt_us in zip(buckets, wanted_us, strict=True):
            self._keep(bucket, now_us + debt_us)
        return Taken(True, tuple(wanted_us))

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """See `BucketStore.give_back`."""
        now_us = self._clock_us()
        for bucket in buckets:
            self._keep(bucket, now_us + max(0, self._debt_us(bucket, now_us) - bucket.rate.token_us))

    def _debt_us(self, bucket: Bucket, now_us: int) -> int:
        full_at_us = self._full_at_us.get(bucket.key)
        if full_at_us is None:
            return 0
        self._full_at_us.move_to_end(bucket.key)
        owed_us = max(full_at_us - now_us, 0)
        if owed_us > bucket.rate.debt_us_max:  # its rate was another, or the clock stepped back
            owed_us = bucket.rate.debt_us_max
            self._keep(bucket, now_us + owed_us)
        return owed_us

    def _keep(self, bucket: Bucket, full_at_us: int) -> None:
        self._full_at_us[bucket.key] = full_at_us
        self._full_at_us.move_to_end(bucket.key)
        if len(self._full_at_us) > self._buckets_max:
            self._full_at_us.popitem(last=False)
