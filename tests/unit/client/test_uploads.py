"""Sending parts to a store made of a function."""

import asyncio

import httpx
import pytest

from photolog.client import UnexpectedAnswer
from photolog.client.uploads import PARALLEL_PARTS_MAX, SentPart, send_parts
from photolog.client.views import PartAddress


def parts_of(*sizes: int) -> list[PartAddress]:
    return [
        PartAddress(number=number, size_bytes=size, url=f"http://store.test/{number}")
        for number, size in enumerate(sizes, start=1)
    ]


async def test_each_part_gets_its_own_bytes_and_at_most_four_go_at_once() -> None:
    arrived: dict[str, bytes] = {}
    together, most = 0, 0

    async def store(request: httpx.Request) -> httpx.Response:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0.005)
        together -= 1
        arrived[request.url.path] = request.content
        return httpx.Response(200, headers={"ETag": f'"{request.url.path}"'})

    progress: list[tuple[int, int]] = []
    sizes = (3, 3, 3, 3, 3, 3, 2)
    data = bytes(range(20))
    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as pool:
        sent = await send_parts(pool, data, parts_of(*sizes), lambda done, whole: progress.append((done, whole)))
    assert b"".join(arrived[f"/{number}"] for number in range(1, 8)) == data
    assert sent == [SentPart(number, f'"/{number}"') for number in range(1, 8)]
    assert most == PARALLEL_PARTS_MAX
    assert progress[-1] == (20, 20)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


async def test_a_refused_part_ends_the_upload_with_its_reason() -> None:
    def store(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403 if request.url.path == "/2" else 200, headers={"ETag": '"x"'})

    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as pool:
        with pytest.raises(UnexpectedAnswer, match="403 to part 2"):
            await send_parts(pool, bytes(4), parts_of(2, 2), None)


async def test_a_store_that_stumbles_is_asked_again() -> None:
    asked: list[str] = []

    def store(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(500 if len(asked) == 1 else 200, headers={"ETag": '"x"'})

    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as pool:
        assert await send_parts(pool, bytes(2), parts_of(2), None) == [SentPart(1, '"x"')]
    assert asked == ["/1", "/1"]
