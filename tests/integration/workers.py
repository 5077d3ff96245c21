"""Faust workers as the stack runs them, real processes on the real engines, and a hand on their stores."""

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from infra.local.home import REPOSITORY
from infra.local.ports import is_free
from photolog.ids import SnowflakeSource, new_event_id, now_ms
from photolog.keyring import SubjectKeyring
from photolog.log.kafka_config import client_config
from photolog.log.offsets import END, offsets_at
from photolog.log.record import EncodedRecord, event_headers
from photolog.positions import Position
from photolog.settings import KafkaSettings, Settings
from projections.posts import POSTS
from projections.stores.port import Source, StoredPosition
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.topics import FEED_FANOUT, FEED_FANOUT_PRIORITY, MEDIA_COMPLETED, Topic, topic_of
from schemas.topics import POSTS as POSTS_TOPIC
from streams.jobs import JobResources
from tests.unit.streams.scenario import post, ready

PATIENCE_SECONDS = 90.0
_LAG_LINE = re.compile(
    r'photolog_lag_records\{partition="(\d+)",projection="([a-z_]+)",topic="([a-z.]+)"\} ([0-9.e+]+)'
)


class WorkerProcess:
    """One worker, started again whenever it ends, as the supervisor does.

    Args:
        arguments: of the command line.
        environment: the stack's keys.
        log: file for its output.
        module: what takes the arguments.
    """

    def __init__(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path, module: str = "cli.app"
    ) -> None:
        self.metrics_port = _free_port()
        self.exits: list[int] = []
        self.log = log
        self._command = (sys.executable, "-m", module, *arguments)
        self._environment = {
            **without_deployment(),
            **environment,
            "PHOTOLOG_METRICS_HOST": "127.0.0.1",
            "PHOTOLOG_METRICS_PORT": str(self.metrics_port),
            "PHOTOLOG_HOME": str(log.parent),
        }
        self._ending = threading.Event()
        self._changing = threading.Lock()
        self.process = self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    @contextmanager
    def changed(self, **settings: str | None) -> Iterator[None]:
        """Run it with these keys until the end of the block, without those that are None, and as before afterwards."""
        before = self._environment
        changed = {**before, **settings}
        self._environment = {key: value for key, value in changed.items() if value is not None}
        self.kill()
        try:
            yield
        finally:
            self._environment = before
            self.kill()

    def lags(self) -> dict[tuple[str, str, int], int]:
        """What it shows of its own partitions; empty while it does not answer."""
        return {(at[2], at[3], int(at[1])): int(float(at[4])) for at in _LAG_LINE.finditer(self._metrics())}

    def shown(self, name: str) -> float:
        """The sum of a metric over all its labels, since this process began; 0 while it does not answer."""
        families = text_string_to_metric_families(self._metrics())
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def wait_ready(self) -> None:
        """Return once it serves its metrics."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5)
            except httpx.HTTPError:
                time.sleep(0.2)
            else:
                return
        raise AssertionError(f"not ready:\n{self.log.read_text()[-3000:]}")

    def end(self) -> None:
        """Stop it for good."""
        with self._changing:
            self._ending.set()
        self.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self._keeper.join(25)

    def _metrics(self) -> str:
        try:
            return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5).text
        except httpx.HTTPError:
            return ""

    def _keep(self) -> None:
        while True:
            status = self.process.wait()
            self.exits.append(status)
            self._ending.wait(0.3)
            # One that died by itself as it was to end must not be started once more, with nobody left to end it.
            with self._changing:
                if self._ending.is_set():
                    return
                self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


def wait_serving(address: str) -> None:
    """Return once a gateway serves and reaches its engines."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/readyz", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"the gateway at {address} was not ready within {PATIENCE_SECONDS:g} s")


def without_deployment() -> dict[str, str]:
    """This process's environment without keys that name a deployment."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PHOTOLOG_")}


def _free_port() -> int:
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        if is_free(port):
            return port


@dataclass
class Hand:
    """What a test does to the river, and what it sees in the stores."""

    resources: JobResources
    settings: Settings
    ids: SnowflakeSource
    session: Any
    redis: Any

    async def append(self, *events: Event, headers: Mapping[str, bytes] | None = None) -> list[Position]:
        """Append commands' events; subjects get keys."""
        return await self.append_records([await self.record(event) for event in events])

    async def append_records(self, records: list[EncodedRecord]) -> list[Position]:
        """Append in slices, as librdkafka's queue is bounded."""
        positions: list[Position] = []
        for start in range(0, len(records), 5_000):
            positions += await self.resources.log.append_all(records[start : start + 5_000])
        return positions

    async def record(self, event: Event) -> EncodedRecord:
        """A command's record."""
        topic = topic_of(type(event))
        keys = self.resources.keys
        subjects = {getattr(event, subject) for subject in SCHEMAS[type(event)].personal.values()}
        if isinstance(keys, SubjectKeyring):
            for subject in subjects:
                await keys.create(subject)
        return EncodedRecord(
            topic=topic.name,
            key=topic.key(event).encode(),
            value=self.resources.serde.encode(event, keys.key_of),
            headers=event_headers(new_event_id(), event.type, now_ms(), "test"),
            timestamp_ms=now_ms(),
        )

    async def applied(self, projection: str, positions: list[Position]) -> None:
        """Return once a projection is past these positions."""
        ends: dict[Source, int] = {}
        for position in positions:
            source = Source(projection, position.topic, position.partition)
            ends[source] = max(position.offset + 1, ends.get(source, 0))

        async def reached() -> bool:
            stored = await self.positions(projection)
            return all(source in stored and stored[source].next_offset >= end for source, end in ends.items())

        await eventually(reached)

    async def caught_up(self, projection: str, topic: Topic) -> bool:
        """Whether a projection is at the end of a topic."""
        # In this order: what a job appended to its own topic stands there before its position does.
        stored = await self.positions(projection)
        try:
            ends = await asyncio.to_thread(_ends, self.settings.kafka, topic.name)
        except KafkaException:
            # A broker that has just come back refuses what clients know of its partitions for a moment.
            return False
        return all(
            end == 0 or stored.get(Source(projection, topic.name, partition), _NOWHERE).next_offset >= end
            for partition, end in ends.items()
        )

    async def settled(self) -> None:
        """Return once everything that was appended has run through media, posts and feed, in the river's order."""

        async def all_through() -> bool:
            return (
                await self.caught_up("media", MEDIA_COMPLETED)
                and await self.caught_up("posts", POSTS_TOPIC)
                and await self.caught_up("feed", FEED_FANOUT)
                and await self.caught_up("feed", FEED_FANOUT_PRIORITY)
            )

        await eventually(all_through)

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """All stored positions of a projection."""
        store = self.resources.timelines if projection == "feed" else self.resources.rows
        return await store.positions(projection)

    async def feed_of(self, reader: int, limit: int = 300) -> list[int]:
        """The posts of a timeline, newest first."""
        page = await self.resources.timelines.page(reader, before=None, limit=limit)
        return [entry.post_id for entry in page.entries]


_NOWHERE = StoredPosition(0)


def _ends(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """The offset behind the last record of each partition."""
    admin = admin_of(kafka)
    partitions = admin.list_topics(topic, timeout=20).topics[topic].partitions
    ends = offsets_at(admin, [(topic, partition) for partition in partitions], END, 20)
    return {partition: end for (_, partition), end in ends.items()}


@cache
def admin_of(kafka: KafkaSettings) -> AdminClient:
    """A client of a log, one for all that is asked about it: asking takes milliseconds, and connecting many more."""
    return AdminClient(client_config(kafka))


async def eventually(predicate: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the predicate holds.

    Raises:
        AssertionError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not await predicate():
        assert time.monotonic() < deadline, f"{predicate.__qualname__} did not hold within {seconds:.0f} s"
        await asyncio.sleep(0.05)


async def published(hand: Hand, author: int) -> int:
    """Append a post with one photograph that is ready; its id, once it is published."""
    post_id, media_id = hand.ids.next(), hand.ids.next()
    await hand.append(ready(media_id, author), post(post_id, author, media_id))

    async def is_published() -> bool:
        row = await hand.resources.rows.get(POSTS.key(post_id))
        return row is not None and row.status == "published"

    await eventually(is_published)
    return post_id
