"""A Faust worker that works off a backlog on one core and tells how fast, for the benchmark of the fan-out.

`ours` is the worker that the platform runs, all its jobs included, until the stored positions say that every request
was delivered. `bare` is the opponent: the same Faust application on the same topic, whose agent does nothing with each
event, which Faust acknowledges.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, cast

import msgspec
from faust.types import TP

from photolog.library_logs import quieten
from photolog.log.record import StoredRecord
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from schemas.topics import FEED_FANOUT
from streams.bootstrap import connect
from streams.delivery import NAME
from streams.faust_jobs.kafka_options import faust_options
from streams.faust_jobs.seeking import Offsets, StoreApp
from streams.faust_jobs.worker import FaustWorker
from streams.jobs import JobResources, live_steps
from streams.step import Step


class Backlog(msgspec.Struct, frozen=True):
    """What is to be worked off.

    Args:
        side: "ours" or "bare".
        core: the processor that this process keeps to.
        begins: the first offset of each partition.
        ends: the offset behind the last one of each.
    """

    side: str
    core: int
    begins: dict[int, int]
    ends: dict[int, int]

    @property
    def records(self) -> int:
        return sum(self.ends.values()) - sum(self.begins.values())


class Pace(msgspec.Struct, frozen=True):
    """Events a second from the first batch to the last, and the processor's time for one event in microseconds."""

    events_per_second: float
    processor_us: float


class Clock:
    """Begins with the first batch."""

    def __init__(self, records: int) -> None:
        self.left = records
        self.done = asyncio.Event()
        self._records = records
        self._began: tuple[float, float] | None = None
        self.pace: Pace | None = None

    def begin(self) -> None:
        self._began = self._began or (perf_counter(), process_time())

    def stop(self) -> None:
        if self._began is not None and self.pace is None:
            seconds, processor = perf_counter() - self._began[0], process_time() - self._began[1]
            self.pace = Pace(self._records / seconds, 1e6 * processor / self._records)
        self.done.set()


class TimedStep(Step):
    """The fan-out's step, with a clock."""

    @classmethod
    def around(cls, step: Step, resources: JobResources, backlog: Backlog, clock: Clock) -> "TimedStep":
        timed = cls.__new__(cls)
        timed.__dict__.update(step.__dict__)
        timed._timing = (resources, backlog, clock)
        return timed

    _timing: tuple[JobResources, Backlog, Clock]

    async def run(self, topic: str, partition: int, records: Sequence[StoredRecord]) -> None:
        resources, backlog, clock = self._timing
        clock.begin()
        await super().run(topic, partition, records)
        clock.left -= len(records)
        if clock.left <= 0:
            stored = {at.partition: position for at, position in (await resources.timelines.positions(NAME)).items()}
            if all(stored[number].next_offset >= end for number, end in backlog.ends.items()):
                clock.stop()


async def ours(settings: Settings, backlog: Backlog, folder: Path) -> Pace:
    """The platform's own worker."""
    clock, stop = Clock(backlog.records), asyncio.Event()
    async with connect(settings) as resources:
        steps = live_steps(resources)
        steps[FEED_FANOUT.name] = tuple(
            TimedStep.around(step, resources, backlog, clock) for step in steps[FEED_FANOUT.name]
        )
        worker = asyncio.create_task(FaustWorker(settings.kafka, steps, folder, "fanout-bench").run(stop))
        await _first(worker, clock)
        stop.set()
        await worker
    return cast(Pace, clock.pace)


async def bare(settings: Settings, backlog: Backlog, folder: Path, topic: str = FEED_FANOUT.name) -> Pace:
    """Faust that does nothing."""
    clock = Clock(backlog.records)

    class Begins:
        async def begin(self, partitions: Collection[TP], earliest: Offsets, ends: Offsets) -> dict[TP, int]:
            return {partition: backlog.begins[partition.partition] for partition in partitions}

    app = StoreApp("fanout-bare", positions=Begins(), **faust_options(settings.kafka, folder))

    async def consume(stream: Any) -> None:
        async for _ in stream:
            clock.begin()
            clock.left -= 1
            if clock.left <= 0:
                clock.stop()

    app.agent(app.topic(topic, key_type=bytes, value_type=bytes), concurrency=1)(consume)
    app.finalize()
    await app.start()
    await clock.done.wait()
    await app.stop()
    return cast(Pace, clock.pace)


async def _first(worker: "asyncio.Task[None]", clock: Clock) -> None:
    """Wait until the clock stops, or the worker ends before it."""
    done = asyncio.create_task(clock.done.wait())
    await asyncio.wait([worker, done], return_when=asyncio.FIRST_COMPLETED)
    if worker.done():
        done.cancel()
        worker.result()
        raise RuntimeError("the worker ended early")


def main() -> None:
    """Read the backlog from standard input, write the pace to standard output."""
    backlog = msgspec.json.decode(sys.stdin.buffer.read(), type=Backlog)
    os.sched_setaffinity(0, {backlog.core})
    settings = load_settings()
    configure_logging("warning", f"fanout-{backlog.side}")
    quieten("aiokafka", "faust", "mode", "httpx", "cassandra", "librdkafka")
    with tempfile.TemporaryDirectory(prefix="photolog-fanout-worker-") as folder:
        side = ours if backlog.side == "ours" else bare
        pace = asyncio.run(side(settings, backlog, Path(folder)))
    sys.stdout.buffer.write(msgspec.json.encode(pace))
    sys.stdout.flush()
    os._exit(0)  # Threads of libraries must not keep the process alive.


if __name__ == "__main__":
    main()
