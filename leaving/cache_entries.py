"""Everything that Redis holds, entry by entry, for checks."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from redis.exceptions import RedisError

from photolog.engines.redis_client import RedisClient
from photolog.errors import StoreUnavailable

_SCAN_COUNT = 1_000


class CacheEntries(Protocol):
    """Everything that the caches hold."""

    def entries(self) -> AsyncIterator[tuple[str, dict[str, bytes]]]:
        """Each key with its fields; a timeline's members are fields without values."""


class RedisEntries:
    """`CacheEntries` of a Redis or Valkey server or cluster.

    Args:
        client: a node's or a cluster's.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client: Any = client

    async def entries(self) -> AsyncIterator[tuple[str, dict[str, bytes]]]:
        """See `CacheEntries.entries`. An entry that goes meanwhile is not there.

        Raises:
            StoreUnavailable: the server did not answer.
        """
        try:
            async for key in self._client.scan_iter(count=_SCAN_COUNT):
                yield key.decode(errors="replace"), await self._fields(key)
        except RedisError as error:
            raise StoreUnavailable(f"Redis: {error}") from error

    async def _fields(self, key: bytes) -> dict[str, bytes]:
        match await self._client.type(key):
            case b"hash":
                held = await self._client.hgetall(key)
                return {name.decode(errors="replace"): value for name, value in held.items()}
            case b"zset":
                return {repr(member): b"" for member in await self._client.zrange(key, 0, -1)}
            case b"string":
                return {"": await self._client.get(key) or b""}
        return {}
