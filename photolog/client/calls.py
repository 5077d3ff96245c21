"""What every group of a client's calls is made of."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import httpx

from photolog.client.transport import Transport
from photolog.client.views import Page

T = TypeVar("T")
PAGE_ITEMS = 100


class Calls:
    """One person's requests, before they have a meaning.

    Args:
        gateway: a pool of connections whose base URL is the gateway's; several people may share one.
        store: a pool of connections to the object store, without base URL.
    """

    def __init__(self, gateway: httpx.AsyncClient, store: httpx.AsyncClient) -> None:
        self.transport = Transport(gateway)
        self._store = store

    async def _all(self, path: str, item: type[T]) -> AsyncIterator[T]:
        cursor = None
        while True:
            page: Page[T] = await self.transport.query(path, Page[item], cursor=cursor, limit=100)  # type: ignore[valid-type]  # a type that is a value
            for one in page.items:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def _post(self, path: str, answer: type[T], body: Any = None) -> T:
        return await self.transport.command("POST", path, answer, body)

    async def _put(self, path: str, answer: type[T], body: Any = None) -> T:
        return await self.transport.command("PUT", path, answer, body)

    async def _delete(self, path: str, answer: type[T], body: Any = None) -> T:
        return await self.transport.command("DELETE", path, answer, body)
