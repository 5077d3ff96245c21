"""Sending parts to a store made of a function."""

import asyncio
import hashlib
from pathlib import Path

import httpx
import pytest

from photolog.client import UnexpectedAnswer
from photolog.client.uploads import PARALLEL_PARTS_MAX, Content, SentPart, send_parts
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
        sent = await send_parts(
            pool, Content(data), parts_of(*sizes), 3, lambda done, whole: progress.append((done, whole))
        )
    assert b"".join(arrived[f"/{number}"] for number in range(1, 8)) == data
    assert [(part.number, part.etag) for part in sent] == [(number, f'"/{number}"') for number in range(1, 8)]
    assert [part.md5 for part in sent] == [hashlib.md5(arrived[f"/{number}"]).hexdigest() for number in range(1, 8)]
    assert most == PARALLEL_PARTS_MAX
    assert progress[-1] == (20, 20)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


async def test_a_refused_part_ends_the_upload_with_its_reason() -> None:
    def store(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403 if request.url.path == "/2" else 200, headers={"ETag": '"x"'})

    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as pool:
        with pytest.raises(UnexpectedAnswer, match="403 to part 2"):
            await send_parts(pool, Content(bytes(4)), parts_of(2, 2), 2)


async def test_a_store_that_stumbles_is_asked_again() -> None:
    asked: list[str] = []

    def store(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(500 if len(asked) == 1 else 200, headers={"ETag": '"x"'})

    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as pool:
        assert await send_parts(pool, Content(bytes(2)), parts_of(2), 2) == [
            SentPart(1, '"x"', hashlib.md5(bytes(2)).hexdigest())
        ]
    assert asked == ["/1", "/1"]


async def test_what_arrived_before_is_not_sent_again_and_a_file_is_read_where_it_is_needed(tmp_path: Path) -> None:
    file, arrived = tmp_path / "film.mp4", dict[str, bytes]()
    file.write_bytes(bytes(range(8)))

    def store(request: httpx.Request) -> httpx.Response:
        arrived[request.url.path] = request.content
        return httpx.Response(200, headers={"ETag": '"x"'})

    progress: list[tuple[int, int]] = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as pool:
        missing = [part for part in parts_of(3, 3, 2) if part.number != 2]
        await send_parts(pool, Content(file), missing, 3, lambda done, whole: progress.append((done, whole)), 3)
    assert arrived == {"/1": bytes([0, 1, 2]), "/3": bytes([6, 7])}
    assert progress[-1] == (8, 8)
    assert await Content(file).sha256() == hashlib.sha256(bytes(range(8))).hexdigest()
