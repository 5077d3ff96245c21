"""Subscriptions: events delivered in all to 1, 10 and 1,000 subscribers of one grant, and the memory that each costs,
against one raw consumer of the same topic that writes as many bytes to as many sockets.

Ours is the gateway: each event is read, decoded, held against the rows for whether it is public, given pseudonyms,
serialised and framed once, and sent to everybody. Both sides have a processor of their own; the engines and who listens
share the other. The read models' positions are far ahead, so that no worker takes part.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from benchmarks.cores import own_core
from benchmarks.engines import migrated_engines
from benchmarks.feed_gateway import stack_settings
from benchmarks.gateway_process import await_serving
from benchmarks.programs import program
from benchmarks.result import Result, paired
from benchmarks.stream_load import Audience, Heard
from benchmarks.stream_server import Bare
from benchmarks.stream_town import StreamTown
from schemas.topics import LIKES

_EVENTS = {1: 20_000, 10: 10_000, 1_000: 1_000}
_REQUEST = "GET /v1/streams/events?types=post.liked HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n"


def run(rounds: int = 5) -> list[Result]:
    """Events a second, over all subscribers."""
    with own_core() as core, migrated_engines("streams") as engines:
        environment = {
            **engines,
            "PHOTOLOG_STREAMS__SUBSCRIBERS_MAX": "1000",
            "PHOTOLOG_STREAMS__SUBSCRIBERS_PER_GRANT_MAX": "1000",
        }
        town = StreamTown(stack_settings(environment))
        asyncio.run(town.seed())
        bench = _Bench(environment, core, town)
        return [bench.measure(subscribers, rounds) for subscribers in _EVENTS]


class _Bench:
    """Both sides, over one stack.

    Args:
        environment: the settings' keys.
        core: the processor of what is measured.
        town: appends events.
    """

    def __init__(self, environment: Mapping[str, str], core: int, town: StreamTown) -> None:
        self._environment = environment
        self._core = core
        self._town = town
        self._port = int(environment["PHOTOLOG_GATEWAY__PORT"])
        words = ("grants", "create", "bench", "--types", "post.liked", "--expires", "1h", "--json")
        self._token = msgspec.json.decode(program(environment, b"", "-m", "cli.app", *words))["token"]
        self._ends: dict[int, int] = {}
        self._event_bytes = 0
        self._kilobytes: list[float] = []

    def measure(self, subscribers: int, rounds: int) -> Result:
        """So many subscribers."""
        self._kilobytes = []
        result = paired(
            f"subscribers, {subscribers:,}",
            "events/s",
            lambda: self._ours(subscribers),
            lambda: self._bare(subscribers),
            opponent_name="a raw consumer writing as many bytes to as many sockets",
            aim=0.5,
            rounds=rounds,
        )
        note = f"{self._event_bytes} bytes an event; memory of the gateway grew by {max(self._kilobytes):,.0f} KB each"
        return replace(result, note=note)

    def _ours(self, subscribers: int) -> float:
        with self._serving("ours", b"") as pid:
            before = _resident_kilobytes(pid, "VmRSS")
            rate, heard = self._heard(subscribers)
            grown = _resident_kilobytes(pid, "VmHWM") - before
        self._event_bytes = heard.bytes // (subscribers * _EVENTS[subscribers])
        self._kilobytes.append(grown / subscribers)
        return rate

    def _bare(self, subscribers: int) -> float:
        told = Bare(port=self._port, topic=LIKES.name, ends=self._ends, event_bytes=self._event_bytes)
        with self._serving("bare", msgspec.json.encode(told)):
            return self._heard(subscribers)[0]

    def _heard(self, subscribers: int) -> tuple[float, Heard]:
        """Have so many listen, append, and wait until all have heard all."""
        events = _EVENTS[subscribers]
        audience = Audience(self._port, _REQUEST.format(token=self._token), subscribers, events)
        load = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stream_load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write(msgspec.json.encode(audience))
        load.stdin.close()
        if load.stdout.readline() != b"served\n":
            raise RuntimeError("not everybody was served")
        self._ends |= asyncio.run(self._town.append(events))
        line = load.stdout.readline()
        load.wait(30)
        heard = msgspec.json.decode(line, type=Heard)
        return subscribers * events / (heard.at_seconds - self._town.began_seconds), heard

    @contextmanager
    def _serving(self, side: str, told: bytes) -> Iterator[int]:
        """One side, for as long as the context lasts; its process."""
        command = [sys.executable, "-m", "benchmarks.stream_server", side, str(self._core)]
        server = subprocess.Popen(
            command, env=os.environ | self._environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert server.stdin is not None
        server.stdin.write(told)
        server.stdin.close()
        try:
            await_serving(f"http://127.0.0.1:{self._port}", server)
            yield server.pid
        finally:
            server.terminate()
            server.wait(30)


def _resident_kilobytes(pid: int, kind: str) -> int:
    """Memory of a process: `VmRSS` now, `VmHWM` at most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1])
    raise RuntimeError(f"no {kind} of process {pid}")
