"""A person of the integration tests, and pictures for them to post."""

import asyncio
import io
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from photolog.client import Client, gateway_pool, store_pool

T = TypeVar("T")
PASSWORD = "correct horse battery"
SETTLE_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account, signed in."""

    id: str
    username: str
    client: Client


@asynccontextmanager
async def joining(address: str) -> AsyncIterator[Callable[..., Awaitable[Person]]]:
    """What signs a new person up and in at a gateway."""
    async with gateway_pool(address) as gateway, store_pool() as store:

        async def joined(name: str, *, private: bool = False) -> Person:
            client = Client(gateway, store)
            username = f"{name}_{secrets.token_hex(5)}"
            account_id = await client.sign_up(username, PASSWORD, name.title(), private)
            await client.log_in(username, PASSWORD)
            return Person(account_id, username, client)

        yield joined


def jpeg(width: int = 640, height: int = 480) -> bytes:
    """A small photograph."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


async def published(person: Person, caption: str = "") -> str:
    """A published post of a person; its id."""
    media_id = await person.client.upload(jpeg(), "image/jpeg")
    post_id = await person.client.post([media_id], caption)
    await person.client.wait_published(post_id)
    return post_id


async def listed(items: AsyncIterator[T]) -> list[T]:
    """All of a list."""
    return [item async for item in items]


async def settles(ask: Callable[[], Awaitable[T]], expected: T) -> None:
    """Ask until the answer is as expected: what another person did arrives a little later."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = await ask()
        if found == expected:
            return
        assert time.monotonic() < deadline, f"{found!r} instead of {expected!r}"
        await asyncio.sleep(0.1)
