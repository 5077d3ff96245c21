"""Buckets that are always there: the shared ones while they answer, this process's own while they do not.

So a gateway without Redis goes on, and stays bounded: each process grants what it would grant alone, its own buckets
begin full, and wrong passwords are counted all the same.
"""

from collections.abc import Sequence

from gateway.circuit import Circuit
from gateway.limits.memory_buckets import MemoryBuckets
from gateway.limits.port import Bucket, BucketStore, Taken
from gateway.metrics import limits_unshared
from photolog.errors import StoreUnavailable


class SteadyBuckets:
    """A `BucketStore` that never raises `StoreUnavailable`.

    Args:
        shared: asked first.
        own: asked instead.
        circuit: of the engine of the shared ones.
    """

    def __init__(self, shared: BucketStore, own: MemoryBuckets, circuit: Circuit) -> None:
        self._shared = shared
        self._own = own
        self._circuit = circuit

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """See `BucketStore.take`."""
        try:
            return await self._circuit.call(lambda: self._shared.take(buckets))
        except StoreUnavailable:  # the circuit says so in the log
            limits_unshared()
            return await self._own.take(buckets)

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """See `BucketStore.give_back`. What was taken from the others stays taken: it comes back with time."""
        try:
            await self._circuit.call(lambda: self._shared.give_back(buckets))
        except StoreUnavailable:
            await self._own.give_back(buckets)
