"""The shared caches before the edge, and how they are told to purge."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
from prometheus_client import Counter

from photolog.errors import SettingsError, StoreUnavailable
from photolog.settings import EdgeSettings

SECRET_HEADER = "photolog-purge-secret"
KEYS_MAX = 200
"""Keys that one call names: a cache's line for a header is bounded."""
PURGES = Counter("photolog_cache_purges", "Calls that told a shared cache to purge", ["cache"])
PURGED = Counter("photolog_cache_purged_objects", "Objects that shared caches say they purged", ["cache"])
_SECONDS = 5.0


def post_key(post_id: int) -> str:
    """Purges what is public by a post."""
    return f"post:{post_id}"


def media_key(media_id: int) -> str:
    """Purges what is public of a media record."""
    return f"media:{media_id}"


def author_key(account_id: int) -> str:
    """Purges what is public of an account."""
    return f"author:{account_id}"


class Caches(Protocol):
    """What purges: `HttpCaches`, or a list in tests."""

    async def purge(self, keys: Sequence[str]) -> None:
        """Drop everything under these keys from every cache. Raises StoreUnavailable where one did not."""


class HttpCaches:
    """Caches that take `PURGE` with the keys in `xkey`, as infra/local's Varnish does.

    Args:
        addresses: of the caches; there may be none.
        secret: what they want to be shown.
        client: sends to them.
    """

    def __init__(self, addresses: Sequence[str], secret: str, client: httpx.AsyncClient) -> None:
        self._addresses = tuple(address.rstrip("/") for address in addresses)
        self._secret = secret
        self._client = client

    async def purge(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), KEYS_MAX):
            for address in self._addresses:
                await self._tell(address, " ".join(keys[start : start + KEYS_MAX]))

    async def _tell(self, address: str, keys: str) -> None:
        headers = {"xkey": keys, SECRET_HEADER: self._secret}
        try:
            answer = await self._client.request("PURGE", f"{address}/", headers=headers, timeout=_SECONDS)
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"cache {address}: {error!r}") from error
        if answer.status_code != httpx.codes.OK:
            raise StoreUnavailable(f"cache {address} refused to purge: {answer.status_code}")
        PURGES.labels(address).inc()
        PURGED.labels(address).inc(int(answer.text) if answer.text.isdecimal() else 0)


@asynccontextmanager
async def connect_caches(edge: EdgeSettings) -> AsyncIterator[HttpCaches]:
    """The caches of the settings.

    Raises:
        SettingsError: there are some, and no secret to show them.
    """
    if edge.caches and edge.purge_secret is None:
        raise SettingsError("PHOTOLOG_EDGE__PURGE_SECRET: the caches want to be shown it")
    secret = edge.purge_secret.get_secret_value() if edge.purge_secret else ""
    async with httpx.AsyncClient() as client:
        yield HttpCaches(edge.caches, secret, client)
