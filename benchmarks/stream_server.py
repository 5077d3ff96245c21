"""The two sides of the benchmark of subscriptions, each one process on one processor.

`ours` is the gateway as it is. `bare` is the opponent: one consumer reads the same topic, and for each record writes as
many bytes as ours makes of it to every socket, a batch of records at a time; it decodes nothing and judges nothing.
"""

import asyncio
import os
import sys
from typing import Any

import msgspec
import uvloop
from confluent_kafka import Consumer, TopicPartition
from starlette.applications import Starlette

from benchmarks.gateway_process import serve
from gateway.app import create_app
from gateway.streams.frames import FRAME_RECORDS_MAX
from photolog.log.kafka_config import client_config
from photolog.settings import load_settings
from photolog.telemetry import configure_logging

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 1\n\n"


class Bare(msgspec.Struct, frozen=True):
    """What the opponent needs.

    Args:
        port: where it listens.
        topic: what it reads.
        ends: where each partition ends now.
        event_bytes: what it writes for each record.
    """

    port: int
    topic: str
    ends: dict[int, int]
    event_bytes: int


class _Sockets(asyncio.Protocol):
    """Everybody who is connected; the first word is answered with the head of a stream."""

    def __init__(self, everybody: set[asyncio.WriteTransport]) -> None:
        self._everybody = everybody
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._transport not in self._everybody:
            self._transport.write(_HEAD)
            self._everybody.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._everybody.discard(self._transport)


async def _bare(wanted: Bare) -> None:
    everybody = set[asyncio.WriteTransport]()
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Sockets(everybody), "127.0.0.1", wanted.port, backlog=2_048)
    consumer = Consumer({**client_config(load_settings().kafka), "group.id": "bare", "enable.auto.commit": False})
    consumer.assign([TopicPartition(wanted.topic, number, end) for number, end in wanted.ends.items()])
    event = b"x" * (wanted.event_bytes - 2) + b"\n\n"
    while True:
        messages = await loop.run_in_executor(None, consumer.consume, FRAME_RECORDS_MAX, 0.2)
        data = event * sum(message.error() is None for message in messages)
        for transport in everybody if data else ():
            transport.write(data)


def application() -> Starlette:
    """What uvicorn serves."""
    settings = load_settings()
    configure_logging("warning", "stream-bench")
    return create_app(settings)


def main() -> None:
    """`ours CORE`, or `bare CORE` with a JSON `Bare` on standard input."""
    side, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    if side == "ours":
        serve("benchmarks.stream_server:application")
    else:
        uvloop.run(_bare(msgspec.json.decode(sys.stdin.buffer.read(), type=Bare)))


if __name__ == "__main__":
    main()
