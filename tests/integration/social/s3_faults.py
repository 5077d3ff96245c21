"""An HTTP proxy before the real object store that answers instead of it, waits, or breaks off; it counts what it did.

It reads one request of each connection and then hands bytes on in both directions, so that signatures stay good.
"""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from urllib.parse import urlsplit

SLOW_SECONDS = 1.5
_HEAD_BYTES_MAX = 64 * 1024
_PIECE_BYTES = 64 * 1024
_BROKEN = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>broken on purpose</Message></Error>"


class Fault(StrEnum):
    """What is wrong with the object store."""

    ERRORS = "it answers 500"
    LOST = "it does as it is asked where something is sent to it, and answers 500"
    SLOW = "it answers late"
    BROKEN_REQUEST = "connections break in the middle of what is sent to it"
    BROKEN_ANSWER = "connections break in the middle of what is answered"


class FaultyStore:
    """The proxy. Without a fault it hands everything on.

    Args:
        endpoint_url: of the real object store.
    """

    def __init__(self, endpoint_url: str) -> None:
        there = urlsplit(endpoint_url)
        self._there = (str(there.hostname), int(there.port or 80))
        self._fault: Fault | None = None
        self.fired: Counter[tuple[Fault, str]] = Counter()
        self.port = 0

    @property
    def address(self) -> str:
        """Where it listens, as an endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def ill(self, fault: Fault) -> Iterator[None]:
        """Requests that come until the end of the block meet with a fault."""
        self._fault = fault
        try:
            yield
        finally:
            self._fault = None

    def met(self, fault: Fault) -> int:
        """How many requests met with a fault."""
        return sum(times for (one, _), times in self.fired.items() if one is fault)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, which is closed behind its first answer."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await self._handle(head, reader, writer)
        writer.close()

    async def _handle(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        fault, method = self._fault, head.split(b" ", 1)[0].decode()
        if fault in (Fault.LOST, Fault.BROKEN_REQUEST) and not _length(head):
            fault = None
        if fault is not None:
            self.fired[fault, method] += 1
        match fault:
            case Fault.ERRORS:
                await self._answer_500(head, reader, writer)
            case _:
                await self._hand_on(head, reader, writer, fault)

    async def _answer_500(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        # Who waits for leave to send the body has not sent it.
        if b"expect: 100-continue" not in head.lower():
            await reader.readexactly(_length(head))
        writer.write(_answer(head))
        await writer.drain()

    async def _hand_on(self, head: bytes, reader: StreamReader, writer: StreamWriter, fault: Fault | None) -> None:
        if fault is Fault.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        upstream, onward = await asyncio.open_connection(*self._there)
        onward.write(_closing(head))
        sending = asyncio.create_task(_hand(reader, onward, breaks=fault is Fault.BROKEN_REQUEST))
        try:
            if fault is Fault.LOST:
                await upstream.read()
                writer.write(_answer(head))
            elif fault is Fault.BROKEN_REQUEST:
                await sending
                writer.transport.abort()
            else:
                await _hand(upstream, writer, breaks=fault is Fault.BROKEN_ANSWER)
        finally:
            sending.cancel()
            onward.transport.abort()


@asynccontextmanager
async def faulty_store(endpoint_url: str) -> AsyncIterator[FaultyStore]:
    """A proxy before an object store, on a port of its own."""
    store = FaultyStore(endpoint_url)
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0, limit=_HEAD_BYTES_MAX)
    store.port = server.sockets[0].getsockname()[1]
    try:
        yield store
    finally:
        server.close()


async def _hand(source: StreamReader, target: StreamWriter, *, breaks: bool) -> None:
    """Hand bytes on until there are no more, or break off in the middle of the first."""
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(_PIECE_BYTES):
            target.write(piece[: len(piece) // 2] if breaks else piece)
            await target.drain()
            if breaks:
                target.transport.abort()
                return


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _closing(head: bytes) -> bytes:
    """The same request, as the only one of its connection."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + b"\r\n\r\n"


def _answer(head: bytes) -> bytes:
    body = b"" if head.startswith(b"HEAD ") else _BROKEN
    lines = (b"HTTP/1.1 500 Internal Server Error", b"Content-Type: application/xml", b"Connection: close")
    return b"\r\n".join(lines) + b"\r\nContent-Length: %d\r\n\r\n" % len(_BROKEN) + body
