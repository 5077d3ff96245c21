"""A person of the integration tests, and pictures for them to post."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from photolog.client import Client

T = TypeVar("T")
PASSWORD = "correct horse battery"
SETTLE_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account, signed in."""

    id: str
    username: str
    client: Client


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
