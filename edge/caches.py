"""The shared caches before the edge, and how they are told to purge."""

from collections.abc import Sequence
from typing import Protocol

import httpx

from edge import metrics
from photolog.errors import StoreUnavailable

SECRET_HEADER = "photolog-purge-secret"
KEYS_MAX = 200
"""Keys that one call names: a cache's line for a header is bounded."""
_SECONDS = 5.0


class Caches(Protocol):
    """What purges: `HttpCaches`, or a list in tests."""

    async def purge(self, keys: Sequence[str]) -> None:
        """Drop everything under these keys from every cache. Raises StoreUnavailable where one did not."""


class HttpCaches:
    """Caches that take `PURGE` with the keys in `xkey`, as infra/local's Varnish does.

    Args:
        addresses: of the caches.
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
        metrics.PURGES.labels(address).inc()
        metrics.PURGED.labels(address).inc(int(answer.text) if answer.text.isdecimal() else 0)
