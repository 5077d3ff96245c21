"""What a client may send before anybody knows what it wants, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway import protocol
from gateway.protocol import ADDRESS_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, BoundedProtocol

GET = b"GET /it HTTP/1.1\r\nhost: test\r\n"
CHUNKED = b"POST /it HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass
class Served:
    """A server, and which requests came through to its application."""

    port: int
    asked: list[str]

    async def send(self, *parts: bytes, until: bytes = b"") -> bytes:
        """What it answers to these bytes, each sent by itself, up to `until` or the connection's end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.readuntil(until) if until else reader.read(), 30)
        finally:
            writer.close()

    async def send_for_ever(self, request: bytes, endless: bytes) -> None:
        """Send until it does not listen any more."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            while True:
                writer.write(endless)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            writer.close()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    asked: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        while scope["path"] == "/it" and (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})

    config = uvicorn.Config(
        application, host="127.0.0.1", port=0, http=BoundedProtocol, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield Served(server.servers[0].sockets[0].getsockname()[1], asked)
    await server.shutdown()


def problem(answer: bytes) -> tuple[int, str]:
    """Status and kind, of the one answer that there is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    return int(head.split(b" ")[1]), json.loads(body)["type"]


async def test_what_is_within_the_bounds_comes_through(served: Served) -> None:
    long = b"GET /%b HTTP/1.1\r\nhost: test\r\n" % (b"x" * (ADDRESS_BYTES_MAX - 1))
    many = b"".join(b"x-%d: y\r\n" % number for number in range(HEADERS_MAX - 1))
    large = b"x-large: %b\r\n" % (b"y" * (HEAD_BYTES_MAX - 100))
    for request in (GET, long, GET + many, GET + large):
        assert (await served.send(request + b"\r\n", until=b"done")).startswith(b"HTTP/1.1 200")
    assert len(served.asked) == 4


async def test_a_head_in_many_pieces_comes_through_and_so_does_the_next_on_the_connection(served: Served) -> None:
    pieces = [bytes([byte]) for byte in GET + b"\r\n"]
    assert await served.send(*pieces, *pieces, until=b"donedone"[:4])
    answer = await served.send(*pieces, GET + b"connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("pieces", [1, 7_000])
async def test_too_long_an_address_is_a_414(served: Served, pieces: int) -> None:
    request = b"GET /%b HTTP/1.1\r\nhost: test\r\n\r\n" % (b"x" * ADDRESS_BYTES_MAX)
    size = max(1, len(request) // pieces)
    parts = [request[start : start + size] for start in range(0, len(request), size)]
    assert problem(await served.send(*parts)) == (414, "/problems/address-too-long")
    assert served.asked == []


async def test_too_many_or_too_large_headers_are_a_431(served: Served) -> None:
    many = b"".join(b"x-%d: y\r\n" % number for number in range(HEADERS_MAX))
    large = b"x-large: %b\r\n" % (b"y" * HEAD_BYTES_MAX)
    for headers in (many, large):
        assert problem(await served.send(GET + headers + b"\r\n")) == (431, "/problems/headers-too-large")
    assert served.asked == []


@pytest.mark.parametrize("begin", [b"GET /", GET + b"x-endless: ", GET + b"x-endless", b"\r\n"])
async def test_a_head_without_end_is_a_431(served: Served, begin: bytes) -> None:
    more = (b"\r\n" if begin == b"\r\n" else b"yy") * (HEAD_BYTES_MAX // 2)
    assert problem(await served.send(begin, more)) == (431, "/problems/headers-too-large")
    await asyncio.wait_for(served.send_for_ever(begin, more), 30)
    assert served.asked == []


@pytest.mark.parametrize(
    "body", [b"1;extension=", b"1\r\nx\r\n0\r\ntrailer: "], ids=["extension of a chunk", "trailer"]
)
async def test_what_follows_a_head_has_bounds_too(served: Served, body: bytes) -> None:
    """The request is under way then, so no other answer can be given to it: the connection ends."""
    await asyncio.wait_for(served.send_for_ever(CHUNKED + body, b"y" * 1_000), 30)


async def test_many_trailers_end_the_connection(served: Served) -> None:
    trailers = b"".join(b"x-%d: y\r\n" % number for number in range(HEADERS_MAX + 1))
    assert await served.send(CHUNKED + b"1\r\nx\r\n0\r\n" + trailers + b"\r\n") == b""


async def test_a_client_that_dawdles_is_a_408(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.05)
    assert problem(await served.send(GET)) == (408, "/problems/request-timeout")
    assert await served.send() == b"", "who says nothing hears nothing"
    answer = await served.send(GET + b"\r\n" + GET)
    first, second = answer.split(b"done")
    assert first.startswith(b"HTTP/1.1 200")
    assert problem(second) == (408, "/problems/request-timeout")


async def test_a_body_that_nobody_reads_does_not_go_on_for_ever(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.05)
    request = CHUNKED.replace(b"/it", b"/answered-at-once")
    assert (await served.send(request, b"5\r\nhello\r\n")).startswith(b"HTTP/1.1 200")
    await asyncio.wait_for(served.send_for_ever(request, b"5\r\nhello\r\n"), 30)


async def test_who_ends_a_body_that_nobody_read_may_go_on(served: Served) -> None:
    request = CHUNKED.replace(b"/it", b"/answered-at-once")
    answer = await served.send(request, b"5\r\nhello\r\n", b"0\r\n\r\n", GET + b"connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("request_", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", GET + b"a b: c\r\n\r\n"])
async def test_what_is_no_request_is_a_400(served: Served, request_: bytes) -> None:
    assert problem(await served.send(request_)) == (400, "/problems/malformed-request")
    assert served.asked == []
