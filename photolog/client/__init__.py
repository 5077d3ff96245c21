"""The client of photolog's public HTTP interface; an example of each use is in `cli/upload.py` and `cli/demo_life.py`.

It is written for asyncio:

    from photolog.client import Client, connect
    async def share() -> None:
        async with connect("http://gateway.example") as client:
            await client.log_in("ada", "a good password")
            post_id = await client.post([await client.upload(Path("cat.jpg"))], "My cat #cat")
            await client.wait_published(post_id)
    asyncio.run(share())

A plain program runs one call after the other:

    with blocking("http://gateway.example") as session:
        session.run(session.client.log_in("ada", "a good password"))
        media_id = session.run(session.client.upload(Path("cat.jpg")))
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from photolog.client.client import Client
from photolog.client.media import WaitedTooLong
from photolog.client.problems import Unavailable, UnexpectedAnswer, Unreachable

__all__ = [
    "Client",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "WaitedTooLong",
    "connect",
    "gateway_pool",
    "store_pool",
]

T = TypeVar("T")
TIMEOUT_SECONDS = 30.0
STORE_TIMEOUT_SECONDS = 60.0  # a part of 5 MiB over a slow line


def gateway_pool(address: str, connections_max: int = 32) -> httpx.AsyncClient:
    """A pool of connections to a gateway, for any number of people; close it when they are done."""
    limits = httpx.Limits(max_connections=connections_max, max_keepalive_connections=connections_max)
    return httpx.AsyncClient(base_url=address, timeout=TIMEOUT_SECONDS, limits=limits)


def store_pool() -> httpx.AsyncClient:
    """A pool of connections to the object store, for signed addresses of any host; close it when it is done."""
    return httpx.AsyncClient(timeout=STORE_TIMEOUT_SECONDS)


@asynccontextmanager
async def connect(address: str) -> AsyncIterator[Client]:
    """A client of the gateway at an address, with a pool of its own."""
    async with gateway_pool(address) as gateway, store_pool() as store:
        yield Client(gateway, store)


@dataclass(frozen=True, slots=True)
class BlockingSession:
    """A client for a program without asyncio."""

    client: Client
    _runner: asyncio.Runner

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for one of the client's calls. Raises what it raises."""
        return self._runner.run(call)


@contextmanager
def blocking(address: str) -> Iterator[BlockingSession]:
    """A client of the gateway at an address, for a program without asyncio."""
    with asyncio.Runner() as runner:
        connected = connect(address)
        client = runner.run(connected.__aenter__())
        try:
            yield BlockingSession(client, runner)
        finally:
            runner.run(connected.__aexit__(None, None, None))
