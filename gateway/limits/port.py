"""Token buckets as the gateway sees them. Adapters: memory_buckets, redis_buckets; steady_buckets puts the one behind
the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from photolog.rates import Rate


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket.

    Args:
        partition: whose it is: an account's id, an address's digest. Buckets of one partition share a cluster's slot.
        policy: what it counts; the name that a client sees.
        rate: how much it holds, and how soon that comes back.
    """

    partition: str
    policy: str
    rate: Rate

    @property
    def key(self) -> str:
        """Where it lives."""
        return f"bucket:{{{self.partition}}}:{self.policy}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking one token from each of some buckets.

    Args:
        granted: whether every bucket had one.
        debts_us: what each bucket owes now, in their order (photolog/rates.py).
    """

    granted: bool
    debts_us: tuple[int, ...]


class BucketStore(Protocol):
    """Keeps buckets. One that it does not know is full; one that is full again it forgets by itself."""

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """Take a token from each bucket, or from none where one has no token left. One round trip.

        On a cluster the buckets of different partitions lie on different nodes: where one of them refuses, what the
        others gave is put back in a second trip. A caller that dies in between has lost a token, never gained one.

        Raises:
            StoreUnavailable: nobody could tell.
        """

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """Put a token back into each bucket that is not full."""
