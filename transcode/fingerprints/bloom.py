"""The arithmetic of a Bloom filter over digests: how many bits, and which of them a digest sets."""

import math
from dataclasses import dataclass

from transcode.fingerprints.digest import DIGEST_BYTES

_HASHES_MAX = 32
SHARD_BITS_MAX = 2**32
"""Bits of a string in Redis: 512 MB. Far more than a shard should have."""


@dataclass(frozen=True, slots=True)
class BloomShape:
    """A filter's size, in shards that each stand on one node of a cluster.

    Args:
        shards: into how many strings it is cut.
        shard_bits: bits of each.
        hashes: bits that a digest sets, all in one shard.
    """

    shards: int
    shard_bits: int
    hashes: int

    @classmethod
    def of(cls, capacity: int, error_rate: float, shards: int = 64) -> "BloomShape":
        """The smallest filter for so many digests with so many wrong answers (Bloom, 1970).

        For n digests and a share p of wrong answers it takes m = -n · ln p / (ln 2)² bits and k = m / n · ln 2 of them
        for each digest. 10^7 digests at one in a thousand: 144 million bits, 18 MB, 10 for each digest.

        Args:
            capacity: digests that it is made for. With more it errs more often, and grows no further.
            error_rate: the share of digests that never came and that it takes for such as may have, between 0 and 1.
            shards: at least 1.

        Raises:
            ValueError: there is no such filter.
        """
        if capacity < 1 or not 0 < error_rate < 1 or shards < 1:
            raise ValueError(f"no filter for {capacity} digests, an error rate of {error_rate} and {shards} shards")
        bits = -capacity * math.log(error_rate) / math.log(2) ** 2
        shard_bits = max(64, math.ceil(bits / shards))
        if shard_bits > SHARD_BITS_MAX:
            raise ValueError(f"a shard of {shard_bits} bits; take more shards")
        return cls(shards, shard_bits, min(_HASHES_MAX, max(1, round(bits / capacity * math.log(2)))))

    def shard_of(self, digest: bytes) -> int:
        """In which shard a digest's bits are. Raises ValueError where it is no SHA-256."""
        if len(digest) != DIGEST_BYTES:
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
        return int.from_bytes(digest[:8], "big") % self.shards

    def places(self, digest: bytes) -> list[int]:
        """Its bits in that shard, by two hashes that stand for any number (Kirsch and Mitzenmacher, 2006).

        They are parts of the digest, which is as good as random in every part.
        """
        first, step = int.from_bytes(digest[8:16], "big"), int.from_bytes(digest[16:24], "big") | 1
        return [(first + number * step) % self.shard_bits for number in range(self.hashes)]
