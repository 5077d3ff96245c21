"""The transcode worker: requests from the log in, answers out, several uploads on their way at once.

While one photograph is decoded the next is fetched and the one before is stored, so the decoders never wait for the
bucket. Answers of one owner keep the order of their requests. A request's offset is committed once its answer is
acknowledged, and not before every earlier one of its partition is: a crash repeats uploads and loses none.

A video takes minutes, a voice note seconds. Neither takes a photograph's place meanwhile, and the broker is polled all
the time, so that the partition stays; a worker that dies loses it within seconds, and another one begins it anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol

import structlog
from confluent_kafka import Message
from msgspec.structs import replace

from photolog.errors import UndecodableRecord
from photolog.ids import now_ms
from photolog.log.dead_letters import dead_letter
from photolog.log.reading import stored_record
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.positions import Position
from photolog.stall import TRANSIENT, Stall
from photolog.worker_metrics import DEAD, keep_showing_lags
from schemas.derived import DerivedEvent, derived_record
from schemas.events import MediaKind, MediaTranscodingCompleted, MediaTranscodingRequested
from schemas.serde import Serde
from schemas.topics import MEDIA_REQUESTED
from transcode.errors import SandboxUnavailable
from transcode.job import Outcome, TranscodeJob, medium
from transcode.metrics import ANSWERED, SECONDS
from transcode.progress import Place, Progress

NAME = "transcode"
DRAIN_SECONDS = 12.0
VIDEOS_MAX = 64
"""Requests for videos and voice notes that are held at once, waiting or worked on; the files of those that wait are not
fetched yet."""
logger = structlog.get_logger(__name__)


class Log(Protocol):
    """Where answers are appended: `photolog.log.producer.LogProducer`."""

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        """Append in order; the answer comes when all are acknowledged."""


class Requests(Protocol):
    """Where requests are read: `transcode.intake.Intake`."""

    progress: Progress

    async def open(self) -> None:
        """Begin to read."""

    async def poll(self, *, room: bool) -> "Message[Any, Any] | None":
        """The next record, if there is one and room for it."""

    async def lags(self) -> dict[Place, int]:
        """For each partition of ours how many records are not finished."""

    async def close(self) -> None:
        """Commit what is finished and stop reading."""


class TranscodeWorker:
    """Answers transcoding requests.

    Args:
        intake: reads the requests.
        job: makes the variants.
        serde: the codec.
        log: takes the answers.
        photographs_max: photographs on their way at once; a few more than there are decoders.
        clock_ms: Unix milliseconds.
        moderated: whether a verdict must follow before anything is published; a voice note never is.
    """

    def __init__(
        self,
        intake: Requests,
        job: TranscodeJob,
        serde: Serde,
        log: Log,
        photographs_max: int,
        clock_ms: Callable[[], int] = now_ms,
        *,
        moderated: bool = False,
    ) -> None:
        self._intake = intake
        self._job = job
        self._serde = serde
        self._log = log
        self._photographs_max = photographs_max
        self._clock_ms = clock_ms
        self._moderation: Literal["none", "pending"] = "pending" if moderated else "none"
        self._stall = Stall(NAME, (*TRANSIENT, SandboxUnavailable))
        self._tasks: set[asyncio.Task[None]] = set()
        # Those that take no photograph's place, and what they are about.
        self._beside: dict[asyncio.Task[None] | None, MediaKind] = {}
        self._last_of: dict[bytes | None, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
        """Work until `stop` is set, then finish what was begun, for at most `DRAIN_SECONDS`.

        Raises:
            Exception: whatever made it impossible to go on; start a new process.
        """
        await self._intake.open()
        lag = asyncio.create_task(keep_showing_lags(NAME, self._intake.lags))
        try:
            if ready is not None:
                ready.set()
            while not stop.is_set():
                await self._turn(lag)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        finally:
            for task in (lag, *self._tasks):
                task.cancel()
            await self._intake.close()

    async def _turn(self, lag: asyncio.Task[None]) -> None:
        """Read at most one request, and see whether anything went wrong that cannot be waited out."""
        message = await self._intake.poll(room=self._has_room)
        if message is not None:
            self._begin(stored_record(message))
        for task in [task for task in (lag, *self._tasks) if task.done()]:
            self._tasks.discard(task)
            self._beside.pop(task, None)
            task.result()

    @property
    def _has_room(self) -> bool:
        return len(self._tasks) - len(self._beside) < self._photographs_max and len(self._beside) < VIDEOS_MAX

    def _begin(self, record: StoredRecord) -> None:
        self._intake.progress.begin((record.topic, record.partition), record.offset)
        task = asyncio.create_task(self._handle(record, self._last_of.get(record.key)))
        self._tasks.add(task)
        self._last_of[record.key] = task

    async def _handle(self, record: StoredRecord, before: asyncio.Task[None] | None) -> None:
        try:
            begun = time.monotonic()
            letters = await self._letters(record)
            about = self._beside.get(asyncio.current_task(), "photo")
            SECONDS[about].observe(time.monotonic() - begun)
            if before is not None:
                await asyncio.wait([before])
            if letters:
                await self._until_done(lambda: self._log.append_all(letters))
            self._intake.progress.finish((record.topic, record.partition), record.offset)
        finally:
            if self._last_of.get(record.key) is asyncio.current_task():
                del self._last_of[record.key]

    async def _letters(self, record: StoredRecord) -> list[EncodedRecord]:
        """What is appended because of a record: its answer, a dead letter, or both; nothing where it was answered
        before."""
        request: list[MediaTranscodingRequested] = []
        outcomes: list[Outcome | None] = []

        async def read() -> None:
            # A schema of another version is fetched from the registry, which may be away.
            request.append(requested(self._serde, record))

        async def answer() -> None:
            outcomes.append(await self._job.answer(request[0]))

        try:
            await self._until_done(read)
        except UndecodableRecord as error:
            return [_dead(record, "undecodable", str(error))]
        about = medium(request[0])
        if about != "photo":
            self._beside[asyncio.current_task()] = about
        await self._until_done(answer)
        outcome = outcomes[0]
        if outcome is None:
            return []
        event = outcome.event
        if isinstance(event, MediaTranscodingCompleted) and about != "voice":
            event = replace(event, moderation=self._moderation)
        ANSWERED.labels(event.type, getattr(event, "reason", "")).inc()
        identity = f"transcoding/{event.type}/{event.media_id}"
        told = derived_record(self._serde, DerivedEvent(event, identity, self._clock_ms(), record))
        # The letter first: whoever sees the refusal finds why.
        return [_dead(record, "failed", outcome.trouble), told] if outcome.trouble else [told]

    async def _until_done(self, attempt: Callable[[], Awaitable[object]]) -> None:
        async def once() -> None:
            await attempt()

        await self._stall.until_done(once)


def _dead(record: StoredRecord, kind: str, reason: str) -> EncodedRecord:
    DEAD.labels(NAME, kind).inc()
    return dead_letter(record, MEDIA_REQUESTED.dead_letters, NAME, f"{kind}: {reason}")


def requested(serde: Serde, record: StoredRecord) -> MediaTranscodingRequested:
    """The request that a record holds. Raises UndecodableRecord where it holds none."""
    event = serde.open_record(serde.parse(record.value), lambda _: None)
    if not isinstance(event, MediaTranscodingRequested):
        raise UndecodableRecord(f"{event.type} is no request")
    return event
