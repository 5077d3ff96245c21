"""A Flink cluster for tests, and a hand on it: jobs handed over, the TaskManager killed, what they appended read."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from infra.local.engines.flink.engine import TASKMANAGER
from infra.local.java import require_java
from infra.local.records import read_processes
from infra.local.stack import Stack
from photolog.errors import StoreUnavailable
from photolog.ids import new_event_id
from photolog.log.bulk import Appended, BulkProducer
from photolog.log.record import event_headers
from photolog.log.slices import SliceReader
from photolog.settings import Settings
from schemas.events import Event
from schemas.serde import Serde
from schemas.topics import topic_of
from streams.flink_cluster.rest import FlinkRest, RunningJob
from streams.flink_cluster.submission import submit

PATIENCE_SECONDS = 240.0
_POLL_SECONDS = 0.3
Any_ = TypeVar("Any_", bound=Event)


@dataclass(frozen=True, slots=True)
class Told(Generic[Any_]):
    """An event as its record holds it."""

    event: Any_
    event_id: str
    key: bytes
    partition: int
    offset: int


class FlinkWorld:
    """A cluster beside the engines of a stack.

    Args:
        cluster: the stack that is the cluster.
        settings: of the jobs.
        serde: the codec.
    """

    def __init__(self, cluster: Stack, settings: Settings, serde: Serde) -> None:
        assert settings.flink.rest_url is not None
        self._cluster = cluster
        self._producer = BulkProducer(settings.kafka)
        self.settings = settings
        self.serde = serde
        self.rest = FlinkRest(settings.flink.rest_url)

    async def start(self, *names: str) -> None:
        """Hand jobs over, from no state, and wait until they run."""
        await submit(self.settings, dict.fromkeys(names), require_java().resolve().parents[1])
        for name in names:
            await self.until_up(name)

    async def until_up(self, name: str) -> RunningJob:
        """Wait until a job runs whole."""
        found: list[RunningJob] = []

        async def is_up() -> bool:
            # A JobManager that was killed does not answer for a while.
            with suppress(StoreUnavailable):
                found[:] = [job for job in await self.rest.jobs() if job.name == name]
            return bool(found) and found[0].is_up

        await eventually(is_up)
        return found[0]

    async def restarts(self, name: str) -> int:
        """How often a job went on from a checkpoint."""
        return (await self.rest.checkpoints((await self.until_up(name)).job_id)).restarts

    async def checkpointed(self, name: str) -> None:
        """Wait for a checkpoint that begins from now on."""
        job = await self.until_up(name)
        begun = time.time() * 1_000

        async def is_done() -> bool:
            return (await self.rest.checkpoints(job.job_id)).latest_ms >= begun

        await eventually(is_done)

    def kill(self, name: str = TASKMANAGER) -> int:
        """SIGKILL a process of the cluster; its pid. The supervisor starts another."""
        pid = next(record.pid for record in read_processes(self._cluster.home) if record.name == name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    async def append(self, *events: Event, partitions: Sequence[int] | None = None, at_ms: int = 0) -> None:
        """Append flat events, each under its topic's key, or into partitions that are named."""
        records = []
        for number, event in enumerate(events):
            topic = topic_of(type(event))
            at = at_ms or getattr(event, "at_ms", 1)
            records.append(
                Appended(
                    topic.name,
                    None if partitions is None else partitions[number],
                    topic.key(event).encode(),
                    self.serde.encode(event, lambda _: None),
                    event_headers(new_event_id(), event.type, at, "test"),
                    at,
                )
            )
        await self._producer.append(records)

    async def read(self, event: type[Any_]) -> list[Told[Any_]]:
        """Everything that the topic of a flat event holds now, in each partition's order."""
        found = []
        async with SliceReader(self.settings.kafka) as reader:
            async for batch in reader.read(await reader.whole(topic_of(event).name)):
                for record in batch.records:
                    told = self.serde.open_record(self.serde.parse(record.value), lambda _: None)
                    assert isinstance(told, event)
                    event_id = (record.header("ce_id") or b"").decode()
                    found.append(Told(told, event_id, record.key or b"", record.partition, record.offset))
        return found


async def eventually(happened: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not await happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(_POLL_SECONDS)
