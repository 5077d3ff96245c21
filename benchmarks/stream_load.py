"""Subscribers who count what comes, all in one process, so that they take little of the machine that they share.

Usage: `python -m benchmarks.stream_load`, a JSON `Audience` on its standard input. It prints a line once everybody is
served, and a JSON `Heard` once everybody has heard everything.
"""

import asyncio
import sys
import time
from typing import Any

import msgspec
import uvloop

_SECONDS_MAX = 120.0
_OPENED_AT_ONCE = 50


class Audience(msgspec.Struct, frozen=True):
    """Who listens.

    Args:
        port: of the server, on this machine.
        request: the bytes that each begins with.
        subscribers: how many.
        events: how many each is to hear.
    """

    port: int
    request: str
    subscribers: int
    events: int


class Heard(msgspec.Struct, frozen=True):
    """When everybody had heard everything, on the machine's monotonic clock, and the bytes that came in all."""

    at_seconds: float
    bytes: int


class _Subscriber(asyncio.Protocol):
    """Counts the blank lines that end events; the first one ends what comes before them."""

    def __init__(self, audience: Audience, served: "asyncio.Future[None]", done: "asyncio.Future[None]") -> None:
        self._audience = audience
        self._served, self._done = served, done
        self._last = b""
        self._ends = 0
        self.bytes = 0

    def connection_made(self, transport: Any) -> None:
        transport.write(self._audience.request.encode())

    def data_received(self, data: bytes) -> None:
        seen = self._last + data
        ends = seen.count(b"\n\n")
        self._ends += ends
        self._last = b"" if seen.endswith(b"\n\n") else seen[-1:]
        if not self._served.done():
            if ends:
                self._served.set_result(None)
            return
        self.bytes += len(data)
        if self._ends > self._audience.events and not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in (self._served, self._done):
            if not waiting.done():
                waiting.set_exception(RuntimeError(f"let go after {self._ends} events: {exc!r}"))


async def _listen(audience: Audience) -> Heard:
    loop = asyncio.get_running_loop()
    subscribers: list[_Subscriber] = []
    done: list[asyncio.Future[None]] = []
    while len(subscribers) < audience.subscribers:
        served: list[asyncio.Future[None]] = []
        for _ in range(min(_OPENED_AT_ONCE, audience.subscribers - len(subscribers))):
            one = _Subscriber(audience, loop.create_future(), loop.create_future())
            served.append(one._served)
            done.append(one._done)
            subscribers.append(one)
            await loop.create_connection(lambda one=one: one, "127.0.0.1", audience.port)  # type: ignore[misc]
        await asyncio.wait_for(asyncio.gather(*served), _SECONDS_MAX)
    print("served", flush=True)
    await asyncio.wait_for(asyncio.gather(*done), _SECONDS_MAX)
    return Heard(time.monotonic(), sum(one.bytes for one in subscribers))


def main() -> None:
    """Listen, and tell."""
    audience = msgspec.json.decode(sys.stdin.buffer.read(), type=Audience)
    sys.stdout.write(msgspec.json.encode(uvloop.run(_listen(audience))).decode() + "\n")


if __name__ == "__main__":
    main()
