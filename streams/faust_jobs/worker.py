"""One Faust worker: an agent for each topic, each batch handed to the topic's steps, acknowledged when they are done.

What was proven by running it (docs/adr): one agent for each topic with concurrency 1, batches of what came while the
one before was worked on, acknowledgement after the position is stored, and a worker that ends at the first error, to be
started again by whoever runs it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from faust.types import TP, EventT, StreamT
from mode.supervisors import CrashingSupervisor

from photolog.log.record import StoredRecord, by_partition
from photolog.settings import KafkaSettings
from photolog.stall import Stall
from streams.bounded import bounded_map
from streams.errors import EngineFailed
from streams.faust_jobs.intake import Intake
from streams.faust_jobs.kafka_options import GROUP, faust_options
from streams.faust_jobs.seeking import Offsets, StoreApp, begin_offsets
from streams.faust_jobs.watch import Watch
from streams.followers import Followers
from streams.replay import catch_up
from streams.step import Step

BATCH_RECORDS_MAX = 1_000
LINGER_SECONDS = 0.01
_STOP_SECONDS = 15.0
_PARTITIONS_AT_ONCE = 8
logger = structlog.get_logger(__name__)

Steps = Mapping[str, Sequence[Step]]
"""The steps of each topic, by its name."""


class FaustWorker:
    """Runs steps on Faust.

    Args:
        kafka: the log.
        steps: the steps of each topic.
        data_folder: where Faust may keep files of its own.
        group: the consumer group.
        followers: generations beside the live ones.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        steps: Steps,
        data_folder: Path,
        group: str = GROUP,
        followers: Followers | None = None,
    ) -> None:
        self._followers = followers
        self._kafka = kafka
        self._steps = steps
        self._seeking = Stall("seek")
        self._failed = asyncio.Event()
        self._error: Exception | None = None
        self._app = StoreApp(group, positions=self, **faust_options(kafka, data_folder))
        for topic in steps:
            self._add_agent(topic)

    async def run(self, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
        """Work until `stop` is set.

        Args:
            stop: asks it to end; the running batch is finished or given up, and either is safe.
            ready: set once partitions are assigned, or none were to be had.

        Raises:
            Exception: whatever made it impossible to go on; start a new process.
        """
        self._app.finalize()
        ends: list[asyncio.Task[Any]] = [
            asyncio.create_task(stop.wait()),
            asyncio.create_task(self._fail()),
            asyncio.create_task(self._serve(ready)),
        ]
        if self._followers is not None:
            ends.append(asyncio.create_task(self._followers.settle(self._places, self._applied)))
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in done:
                end.result()
        finally:
            for end in ends:
                end.cancel()
            stopped = await self._stop()
        if not stopped:
            raise EngineFailed(f"Faust did not stop within {_STOP_SECONDS:.0f} s")

    async def _serve(self, ready: asyncio.Event | None) -> None:
        await self._app.start()
        if ready is not None:
            ready.set()
        await Watch(self._app, self._steps, lambda: self._seeking.waits).run()

    async def _fail(self) -> None:
        await self._failed.wait()
        raise self._error or EngineFailed("an agent ended")

    async def begin(self, partitions: Collection[TP], earliest: Offsets, ends: Offsets) -> dict[TP, int]:
        """For each partition the least of its steps' positions; a topic that has grown is folded up to the growth."""
        stored: dict[TP, int | None] = {}

        async def read() -> None:
            for topic in {partition.topic for partition in partitions}:
                own = {partition.partition for partition in partitions if partition.topic == topic}
                await catch_up(self._kafka, topic, own, self._steps[topic])
            found = await bounded_map(self._resume, list(partitions), _PARTITIONS_AT_ONCE)
            stored.update(zip(partitions, found, strict=True))

        try:
            if self._followers is not None:
                await self._followers.pin()
            await self._seeking.until_done(read)
            return begin_offsets(stored, earliest, ends)
        except Exception as error:
            self._give_up(error)
            raise

    async def _resume(self, partition: TP) -> int | None:
        positions = [await step.resume(partition.topic, partition.partition) for step in self._steps[partition.topic]]
        known = [position for position in positions if position is not None]
        return min(known) if len(known) == len(positions) else None

    async def _stop(self) -> bool:
        """Stop Faust; False where it does not stop in time. It takes no notice of being cancelled, so it is not waited
        for any longer: the process ends either way, and the group notices by its session."""
        stopping = asyncio.create_task(self._app.stop())
        done, _ = await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
        for stopped in done:
            stopped.result()
        if not done:
            logger.warning("faust-did-not-stop", seconds=_STOP_SECONDS)
        return bool(done)

    def _add_agent(self, topic: str) -> None:
        async def consume(stream: StreamT[Any]) -> None:
            stream.enable_acks = False
            intake: Intake[EventT[Any]] = Intake(BATCH_RECORDS_MAX, LINGER_SECONDS, asyncio.get_running_loop().time)
            async with asyncio.TaskGroup() as group:
                working = group.create_task(self._work_off(topic, intake))
                try:
                    async for _ in stream:
                        if stream.current_event is not None:
                            await intake.put(stream.current_event)
                finally:
                    working.cancel()

        channel = self._app.topic(topic, key_type=bytes, value_type=bytes)
        self._app.agent(channel, name=topic, concurrency=1, supervisor_strategy=CrashingSupervisor)(consume)

    async def _work_off(self, topic: str, intake: Intake[EventT[Any]]) -> None:
        while True:
            events = await intake.take()
            await self._work(topic, events)
            for event in events:
                # Not through the stream, whose statistics nobody reads and cost as much as our own decoding.
                event.ack()

    async def _work(self, topic: str, events: Sequence[EventT[Any]]) -> None:
        shares = list(by_partition(stored_record(event.message) for event in events).items())
        try:
            if self._followers is not None:
                await self._followers.pin()
            for step in self._steps[topic]:
                await bounded_map(partial(_run, step, topic), shares, _PARTITIONS_AT_ONCE)
            if self._followers is not None:
                for partition, records in shares:
                    await self._followers.follow(topic, partition, records)
        except Exception as error:
            self._give_up(error)
            raise

    def _places(self) -> list[tuple[str, int]]:
        consumer: Any = self._app.consumer
        assigned = consumer.assignment() if self._app.started and not self._app.rebalancing else ()
        return [(place.topic, place.partition) for place in assigned if place.topic in self._steps]

    def _applied(self, projection: str, topic: str, partition: int) -> int:
        return max(step.held(topic, partition) for step in self._steps[topic] if step.name == projection)

    def _give_up(self, error: Exception) -> None:
        """Faust would log the error and go on; this worker must not."""
        self._error = self._error or error
        self._failed.set()


async def _run(step: Step, topic: str, share: tuple[int, Sequence[StoredRecord]]) -> None:
    await step.run(topic, *share)


def stored_record(message: Any) -> StoredRecord:
    """A Faust message as a record; its time is seconds there and milliseconds here."""
    headers = message.headers or ()
    if isinstance(headers, dict):
        headers = headers.items()
    return StoredRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=tuple(headers),
        timestamp_ms=round((message.timestamp or 0) * 1_000),
    )
