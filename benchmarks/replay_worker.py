"""One process that reads a topic to its end on one core and tells how fast, and in how much memory.

`ours` is the replay engine: it reads, decodes, and runs the step that every job runs, with work that does nothing and
positions in memory. `bare` is the opponent: a Faust agent that does nothing with the same topic.
"""

import asyncio
import os
import resource
import sys
import tempfile
from pathlib import Path

import msgspec
import uvloop

from analytics.bootstrap import NoKeys
from benchmarks.fanout_worker import Backlog, Clock, Pace, bare
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from projections.stores.memory_positions import MemoryPositions
from schemas.registry import load_serde
from streams.decoding import Decoder
from streams.replay import replay
from streams.step import Batch, Done, Step


class Read(msgspec.Struct, frozen=True):
    """How a topic was read; the processor's time for one record in microseconds, the most memory in bytes."""

    records_per_second: float
    processor_us: float
    memory_bytes: int


class _Counting:
    """Work that does nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def do(self, batch: Batch) -> Done:
        self._clock.begin()
        self._clock.left -= len(batch.events)
        if self._clock.left <= 0:
            self._clock.stop()
        return Done()


async def ours(settings: Settings, topic: str, backlog: Backlog) -> Pace:
    """The replay engine."""
    clock = Clock(backlog.records)
    serde = await asyncio.to_thread(load_serde, settings.registry)
    step = Step("replay-bench", MemoryPositions(), Decoder(serde, NoKeys()), _Counting(clock), None)
    await replay(settings.kafka, topic, (step,))
    assert clock.pace is not None
    return clock.pace


def main() -> None:
    """`TOPIC` and a JSON `Backlog` on standard input; a JSON `Read` on standard output."""
    (topic,) = sys.argv[1:]
    backlog = msgspec.json.decode(sys.stdin.buffer.read(), type=Backlog)
    os.sched_setaffinity(0, {backlog.core})
    settings = load_settings()
    configure_logging("warning", f"replay-{backlog.side}")
    quieten("aiokafka", "faust", "mode", "httpx", "librdkafka")
    with tempfile.TemporaryDirectory(prefix="photolog-replay-worker-") as folder:
        if backlog.side == "ours":
            pace = uvloop.run(ours(settings, topic, backlog))
        else:
            pace = asyncio.run(bare(settings, backlog, Path(folder), topic))
    memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    sys.stdout.buffer.write(msgspec.json.encode(Read(pace.events_per_second, pace.processor_us, memory_bytes)))
    sys.stdout.flush()
    os._exit(0)  # Threads of libraries must not keep the process alive.


if __name__ == "__main__":
    main()
