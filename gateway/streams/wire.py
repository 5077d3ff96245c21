"""A subscription on the wire: a WebSocket, or server-sent events.

Both say in the end why they end. Whoever does not listen for that either loses its connection.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import msgspec
from starlette.types import Receive, Scope, Send

from gateway.metrics import events_delivered
from gateway.middleware import BOUND
from gateway.streams.desk import Desk
from gateway.streams.frames import CLOSING, HEARTBEAT, ZSTD_MAGIC, Frame, compressed, linked
from gateway.streams.subscription import DETAILS, Outgoing, Subscription

TRANSPORT, LEAVE = "photolog.transport", "photolog.leave"
"""In the scope: the connection (gateway/protocol.py puts it there), and what is called before the process goes."""
LISTEN_SECONDS_MAX = 5.0
KERNEL_BYTES_MAX = 65_536
UNSENT_BYTES_MAX = 32_768
SSE_TYPE = b"text/event-stream"
_RETRY = b"retry: 3000\n\n"
_encode = msgspec.json.Encoder().encode
Write = Callable[[Outgoing], Awaitable[None]]


async def serve_websocket(
    desk: Desk, opened: Subscription, zstd: bool, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve a subscription over a WebSocket that is not accepted yet.

    A message is an event's JSON; with `zstd` it is binary, a Zstandard frame of lines that are one each.
    """

    async def write(one: Outgoing) -> None:
        if zstd:
            data = one.lines_zstd if isinstance(one, Frame) else compressed(_encode(one) + b"\n")
            await send({"type": "websocket.send", "bytes": data})
        elif isinstance(one, Frame):
            for text in one.texts:
                await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "text": _encode(one).decode()})

    async def say_why() -> None:
        if opened.reason != "left":
            last = _encode(opened.closing)
            await send({"type": "websocket.send", **({"bytes": compressed(last)} if zstd else {"text": last.decode()})})
            code, _ = DETAILS[opened.reason or "left"]
            await send({"type": "websocket.close", "code": code, "reason": opened.reason})

    async with desk.held(opened):
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        await _serve(opened, scope, receive, write, say_why)


async def serve_events(
    desk: Desk, opened: Subscription, zstd: bool, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve a subscription as server-sent events: unnamed ones are events, `heartbeat` and `closing` say the rest.

    With `zstd` the body is a sequence of Zstandard frames, and says so as its content encoding.
    """

    async def put(data: bytes, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": data, "more_body": more})

    async def write(one: Outgoing) -> None:
        if isinstance(one, Frame):
            await put(one.server_sent_zstd if zstd else one.server_sent)
        else:
            told = _named(HEARTBEAT, _encode(one), one.cursor)
            await put(linked(told) if zstd else told)

    async def say_why() -> None:
        last = _named(CLOSING, _encode(opened.closing))
        await put(linked(last).removesuffix(ZSTD_MAGIC) if zstd else last, more=False)

    scope[BOUND].reschedule(None)
    headers = [(b"content-type", SSE_TYPE), (b"cache-control", b"no-store"), (b"connection", b"close")]
    headers += [(b"content-encoding", b"zstd")] if zstd else []
    async with desk.held(opened):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await put(ZSTD_MAGIC + linked(_RETRY) if zstd else _RETRY)
        await _serve(opened, scope, receive, write, say_why)


def _named(name: str, data: bytes, cursor: str = "") -> bytes:
    identified = f"id: {cursor}\n" if cursor else ""
    return f"{identified}event: {name.removeprefix('stream.')}\ndata: ".encode() + data + b"\n\n"


async def _serve(
    opened: Subscription,
    scope: Scope,
    receive: Receive,
    write: Write,
    say_why: Callable[[], Awaitable[None]],
) -> None:
    _bound_connection(scope)
    opened.wake = _cutting_off(scope)
    scope[LEAVE] = lambda: opened.end("shutdown")
    listening = asyncio.create_task(_listen(opened, receive))
    try:
        async with aclosing(opened.outgoing()) as outgoing:
            async for one in outgoing:
                await write(one)
                events_delivered(len(one.events) if isinstance(one, Frame) else 0)
        await say_why()
    finally:
        listening.cancel()


def _bound_connection(scope: Scope) -> None:
    """Have the connection, and the machine for it, keep no more than this: by itself the machine would keep megabytes,
    and nobody would notice for long who does not read."""
    transport: asyncio.Transport | None = scope.get(TRANSPORT)
    if transport is None or transport.is_closing():
        return
    transport.set_write_buffer_limits(UNSENT_BYTES_MAX)
    held = transport.get_extra_info("socket")
    if held is not None:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES_MAX)


def _cutting_off(scope: Scope) -> Callable[[], None]:
    """What, once called, leaves some seconds to take the rest and to hear why, and then cuts the connection off."""
    transport: asyncio.Transport | None = scope.get(TRANSPORT)
    loop = asyncio.get_running_loop()

    def wake() -> None:
        if transport is not None:
            loop.call_later(LISTEN_SECONDS_MAX, transport.abort)

    return wake


async def _listen(opened: Subscription, receive: Receive) -> None:
    """Learn that the subscriber has left, or said what it has no business to say."""
    while opened.reason is None:
        message = await receive()
        if message["type"].endswith(".disconnect"):
            opened.end("left")
        elif message["type"] == "websocket.receive":
            opened.end("unexpected-message")
