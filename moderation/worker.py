"""The moderation worker: what became ready in, verdicts out, several on their way at once.

A verdict is appended before the offset of what it is about is committed, and is the same event however often it is: a
worker that dies repeats some, and loses none. Until then the media waits, and so does its post.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from moderation.classifier import Subject
from moderation.metrics import JUDGED
from moderation.panel import Panel, Ruling
from photolog.errors import Limited, UndecodableRecord
from photolog.ids import now_ms
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.stall import Stall
from photolog.worker_metrics import keep_showing_lags
from schemas.derived import DerivedEvent, derived_record
from schemas.events import MediaJudged, MediaLabel, MediaTranscodingCompleted, MediaVariant
from schemas.serde import Serde
from transcode.worker import Log, Requests

NAME = "moderation"
DRAIN_SECONDS = 12.0
FILE_BYTES_MAX = 32 * 1024 * 1024
"""Of a file that a classifier is given."""
logger = structlog.get_logger(__name__)
Fetch = Callable[[str], Awaitable[bytes]]
"""A whole object of the bucket, by its key."""


class ModerationWorker:
    """Judges what waits for a verdict.

    Args:
        intake: reads what became of uploads.
        panel: judges.
        fetch: reads files for classifiers.
        serde: the codec.
        log: takes the verdicts.
        at_once: media that is judged at once.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        intake: Requests,
        panel: Panel,
        fetch: Fetch,
        serde: Serde,
        log: Log,
        at_once: int,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._intake = intake
        self._panel = panel
        self._fetch = fetch
        self._serde = serde
        self._log = log
        self._at_once = at_once
        self._clock_ms = clock_ms
        self._stall = Stall(NAME)

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what was begun, for at most `DRAIN_SECONDS`.

        Raises:
            Exception: whatever made it impossible to go on; start a new process.
        """
        await self._intake.open()
        tasks: set[asyncio.Task[None]] = {asyncio.create_task(keep_showing_lags(NAME, self._intake.lags))}
        try:
            ready.set()
            while not stop.is_set():
                message = await self._intake.poll(room=len(tasks) <= self._at_once)
                if message is not None:
                    tasks.add(self._begun(stored_record(message)))
                for task in [task for task in tasks if task.done()]:
                    tasks.discard(task)
                    task.result()
            await self._drained(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await self._intake.close()

    async def _drained(self, tasks: set[asyncio.Task[None]]) -> None:
        """Showing lags never ends, and it is the one that is left."""
        begun = asyncio.get_running_loop().time()
        while len(tasks) > 1 and asyncio.get_running_loop().time() - begun < DRAIN_SECONDS:
            done, _ = await asyncio.wait(tasks, timeout=0.1)
            tasks -= done

    def _begun(self, record: StoredRecord) -> asyncio.Task[None]:
        self._intake.progress.begin((record.topic, record.partition), record.offset)
        return asyncio.create_task(self._handle(record))

    async def _handle(self, record: StoredRecord) -> None:
        await self._stall.until_done(partial(self._judge, record))
        self._intake.progress.finish((record.topic, record.partition), record.offset)

    async def _judge(self, record: StoredRecord) -> None:
        media = self._waiting(record)
        if media is None:
            return
        ruling = await self._panel.judge(Subject(media, self._file))
        verdict = derived_record(
            self._serde,
            DerivedEvent(_verdict(media, ruling), f"moderation/{media.media_id}", self._clock_ms(), record),
        )
        await self._log.append_all([verdict])
        JUDGED.labels(ruling.judgement.verdict, ruling.classifier).inc()
        logger.info("judged", media_id=media.media_id, verdict=ruling.judgement.verdict, classifier=ruling.classifier)

    def _waiting(self, record: StoredRecord) -> MediaTranscodingCompleted | None:
        """The media that a record says waits for a verdict, if it says so of any."""
        try:
            sealed = self._serde.parse(record.value)
            if sealed.schema.event is not MediaTranscodingCompleted:
                return None
            event = self._serde.open_record(sealed, lambda _: None)
        except UndecodableRecord as error:
            # The job that folds the topic puts it aside; its retry comes by here again.
            logger.warning("moderation-undecodable", offset=record.offset, reason=str(error))
            return None
        waits = isinstance(event, MediaTranscodingCompleted) and event.moderation == "pending"
        return event if waits else None  # type: ignore[return-value]  # it is one where it waits

    async def _file(self, file: MediaVariant) -> bytes:
        if file.size_bytes > FILE_BYTES_MAX:
            raise Limited(
                "file-too-large", f"{file.name} has {file.size_bytes} bytes; a classifier gets {FILE_BYTES_MAX}"
            )
        return await self._fetch(file.object_key)


def _verdict(media: MediaTranscodingCompleted, ruling: Ruling) -> MediaJudged:
    found = ruling.judgement
    return MediaJudged(
        media_id=media.media_id,
        owner_id=media.owner_id,
        verdict=found.verdict,
        reason=found.reason,
        classifier=ruling.classifier,
        rule=found.rule,
        labels=[MediaLabel(name=str(name), score=score) for name, score in found.labels.items()],
    )
