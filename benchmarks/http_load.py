"""A load generator for HTTP: one process, keep-alive connections, a bounded number of requests, all checked.

It writes ready bytes and reads no more of an answer than it must, so that it takes as little as it can of the machine
that it shares with what it measures.

Usage: `python -m benchmarks.http_load`, a JSON `Load` on its standard input, a JSON `Rate` on its standard output.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import Iterator

import msgspec


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send.

    Args:
        host: of the server.
        port: of the server.
        method: of each request.
        path: of each request.
        headers: of each request.
        body: of each request.
        requests: how many, at most `connections` at a time.
        connections: kept alive, each with one request at a time.
        status: what each answer must be.
        paths: where given, each request has the next of these, in turn, instead of `path`.
        idempotency_keys: whether each request carries a key of its own.
        per_second: how many to begin each second, evenly; 0 for as many as the connections bear. A request that had to
            wait for a connection took that long, too.
    """

    host: str
    port: int
    method: str
    path: str
    headers: dict[str, str]
    body: str
    requests: int
    connections: int
    status: int
    paths: list[str] = []
    idempotency_keys: bool = False
    per_second: float = 0.0


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; times in milliseconds."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float


async def run(load: Load) -> Rate:
    """Send it all.

    Raises:
        RuntimeError: an answer was another than `status`.
    """
    numbers = iter(range(load.requests))
    times_ms: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(_connection(load, numbers, times_ms, started) for _ in range(load.connections)))
    seconds = time.perf_counter() - started
    times_ms.sort()
    return Rate(
        requests_per_second=load.requests / seconds,
        p50_ms=times_ms[len(times_ms) // 2],
        p99_ms=times_ms[len(times_ms) * 99 // 100],
    )


async def _connection(load: Load, numbers: Iterator[int], times_ms: list[float], started: float) -> None:
    reader, writer = await asyncio.open_connection(load.host, load.port)
    lines, tail = _request(load)
    expected = f"HTTP/1.1 {load.status} ".encode()
    for number in numbers:
        sent = await _turn(load, number, started)
        key = f"idempotency-key: {uuid.uuid4()}\r\n".encode() if load.idempotency_keys else b""
        path = load.paths[number % len(load.paths)] if load.paths else load.path
        writer.write(f"{load.method} {path} HTTP/1.1\r\n".encode() + lines + key + tail)
        answer = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(answer))
        times_ms.append((time.perf_counter() - sent) * 1000)
        if not answer.startswith(expected):
            raise RuntimeError(f"{load.method} {load.path}: {answer[:60]!r} {body[:300]!r}")
    writer.close()
    await writer.wait_closed()


async def _turn(load: Load, number: int, started: float) -> float:
    """Wait until a request is to begin; answers when that is."""
    if not load.per_second:
        return time.perf_counter()
    due = started + number / load.per_second
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    return due


def _request(load: Load) -> tuple[bytes, bytes]:
    headers = {"host": f"{load.host}:{load.port}", "content-length": str(len(load.body.encode())), **load.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return lines.encode(), f"\r\n{load.body}".encode()


def _length(answer: bytes) -> int:
    head = answer.lower()
    start = head.find(b"content-length:")
    return int(head[start + 15 : head.index(b"\r", start)]) if start >= 0 else 0


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(run(asked))))
