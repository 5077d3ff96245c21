"""Which digests may have been seen: a Bloom filter in Redis that saves most questions to the table in Cassandra.

Only `no` says anything, and it must be right: a digest is added *before* it is written to the table, and a filter that
may lack any answers `may be` to everything. Whoever reads `may be` asks the table. A filter lacks digests when it is
new, when Redis was flushed or put the string out, or when its size changed. Then it is filled: begin, add every digest
of the table, finish. Digests that come meanwhile are added as always; if Redis loses the filter on the way, `finish`
says so.

One `no` can be wrong: a Redis that crashes loses what it acknowledged since its last write to disk, a second at most,
and a replica that takes over what did not reach it. What follows is a content that is stored twice and not a lost one.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from itertools import islice

from photolog.engines.redis_client import RedisClient
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script_of
from transcode.fingerprints.bloom import BloomShape

_SCRIPT = script_of((files("transcode.fingerprints") / "seen_digests.lua").read_text())
_HEAD_BYTES = 16
_DIGESTS_PER_ROUND = 1_000
_ABSENT = 0


class SeenDigests:
    """The filter. Every call raises `StoreUnavailable` while Redis is away: then ask the table.

    Args:
        client: a node's or a cluster's.
        shape: its size; a filter of another size is another filter, and begins empty.
        name: what its keys begin with.
    """

    def __init__(self, client: RedisClient, shape: BloomShape, name: str = "seen") -> None:
        self._runner = ScriptRunner(client)
        self._shape = shape
        self._name = name
        sizes = f"{shape.shards}/{shape.shard_bits}/{shape.hashes}"
        self._whole = _head(f"whole {sizes}")

    async def may_contain(self, digest: bytes) -> bool:
        """False where a digest was never added; True where it may have been, or nobody can say."""
        call = self._call(self._shape.shard_of(digest), "ask", *self._shape.places(digest))
        (answer,) = await self._runner.run([call])
        return int(answer) != _ABSENT

    async def add(self, digests: Iterable[bytes]) -> None:
        """Add digests, a thousand to a round trip. Adding one again changes nothing."""
        remaining = iter(digests)
        while some := list(islice(remaining, _DIGESTS_PER_ROUND)):
            await self._runner.run(list(self._adding(some)))

    async def is_whole(self) -> bool:
        """Whether every shard answers for itself."""
        calls = [self._call(shard, "look") for shard in range(self._shape.shards)]
        return all(int(answer) for answer in await self._runner.run(calls))

    async def begin_filling(self) -> bytes:
        """Say that the table is being read from its beginning; the marker is for `finish_filling`.

        Until then every answer is True. A filling that begins meanwhile takes the place of this one.
        """
        marker = _head(f"filling {secrets.token_hex(16)}")
        await self._each_shard("begin", marker)
        return marker

    async def finish_filling(self, marker: bytes) -> bool:
        """Whether the filter is whole now. False: it lost something since it began, or another filling has begun.

        Shards that lost nothing are whole all the same, and answer; the others go on to say `may be`.
        """
        return all(await self._each_shard("finish", marker))

    async def _each_shard(self, deed: str, marker: bytes) -> list[int]:
        calls = [self._call(shard, deed, marker) for shard in range(self._shape.shards)]
        return [int(answer) for answer in await self._runner.run(calls)]

    def _adding(self, digests: Sequence[bytes]) -> Iterator[ScriptCall]:
        places: dict[int, list[int]] = {}
        for digest in digests:
            places.setdefault(self._shape.shard_of(digest), []).extend(self._shape.places(digest))
        for shard, bits in places.items():
            yield self._call(shard, "add", *bits)

    def _call(self, shard: int, deed: str, *words: bytes | int) -> ScriptCall:
        # The size is part of the name, so that bits of one size are never read as those of another.
        key = f"{self._name}:{{{shard}}}:{self._shape.shard_bits}:{self._shape.hashes}:{self._shape.shards}"
        return ScriptCall(_SCRIPT, [key], [deed, self._whole, *words])


def _head(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()[:_HEAD_BYTES]
