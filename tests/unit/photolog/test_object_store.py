"""What an object store's answer says is believed only where it is whole."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from photolog.engines.object_store import ObjectStore
from photolog.errors import StoreUnavailable
from photolog.settings import S3Settings


class Answering:
    """A server that answers every request with these bytes and closes the connection."""

    def __init__(self) -> None:
        self.answer = b""

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def answering() -> AsyncIterator[tuple[Answering, ObjectStore]]:
    found = Answering()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    keys: Any = {"access_key": "a", "secret_key": "b"}
    store = ObjectStore(S3Settings(endpoint_url=f"http://127.0.0.1:{port}", region="local", bucket="media", **keys))
    async with server:
        yield found, store


CALLS: dict[str, Callable[[ObjectStore], Awaitable[Any]]] = {
    "head": lambda store: store.head("raw/1/2"),
    "get": lambda store: store.get("raw/1/2"),
    "read_range": lambda store: store.read_range("raw/1/2", 0, 10),
    "whole": lambda store: store.whole("raw/1/2"),
    "create_upload": lambda store: store.create_upload("raw/1/2", "image/jpeg"),
    "upload_part": lambda store: store.upload_part("raw/1/2", "u", 1, b"bytes"),
    "list_parts": lambda store: store.list_parts("raw/1/2", "u"),
    "unfinished_uploads": lambda store: store.unfinished_uploads("raw/"),
    "keys": lambda store: anext(aiter(store.keys("raw/"))),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_an_answer_that_was_cut_short_says_nothing(
    answering: tuple[Answering, ObjectStore], call: str, answer: bytes
) -> None:
    server, store = answering
    server.answer = answer
    with pytest.raises(StoreUnavailable):
        await CALLS[call](store)


async def test_fewer_bytes_than_an_object_has_are_none(answering: tuple[Answering, ObjectStore]) -> None:
    server, store = answering
    for answer in (
        b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 9\r\n\r\nbytes',
        b'HTTP/1.1 200 OK\r\nETag: "e"\r\n\r\nbytes',
    ):
        server.answer = answer
        with pytest.raises(StoreUnavailable):
            await store.get("raw/1/2")
    server.answer = b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 5\r\n\r\nbytes'
    assert await store.get("raw/1/2") == b"bytes"
