"""A delayed reader of the log: does a rule's deed about each record once that is as old as the rule says.

Nothing is kept of what is to be done when. A record that is too young holds its partition, as every record behind it is
younger; what is done is the group's committed offset. So several keepers share the partitions, one that dies has its
records done by another, and each is done at least once.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import structlog
from confluent_kafka import Message

from keeper.metrics import DONE, LATE
from keeper.rules import Rule, Told
from photolog.errors import UndecodableRecord
from photolog.ids import now_ms
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.stall import Stall
from schemas.events import Event
from schemas.serde import Serde
from transcode.progress import Place, Progress

AT_ONCE = 256
"""Deeds of one rule at the same time: most of one's time is waiting."""
logger = structlog.get_logger(__name__)


class Records(Protocol):
    """Where records are read: `transcode.intake.Intake`."""

    progress: Progress

    async def open(self) -> None:
        """Begin to read."""

    async def poll(self, *, room: bool) -> "Message[Any, Any] | None":
        """The next record, if there is one and room for it."""

    def hold(self, place: Place) -> None:
        """Read nothing more of a partition."""

    def release(self, place: Place) -> None:
        """Go on with it."""

    def holds(self, place: Place) -> bool:
        """Whether it is held, and still ours."""

    async def close(self) -> None:
        """Commit what is finished and stop reading."""


class DelayedReader:
    """One rule at work.

    Args:
        rule: the rule.
        records: reads its topic in its group.
        serde: the codec.
        clock_ms: Unix milliseconds.
        at_once: deeds at the same time.
    """

    def __init__(
        self,
        rule: Rule,
        records: Records,
        serde: Serde,
        clock_ms: Callable[[], int] = now_ms,
        at_once: int = AT_ONCE,
    ) -> None:
        self._rule = rule
        self._records = records
        self._serde = serde
        self._clock_ms = clock_ms
        self._at_once = at_once
        self._stall = Stall(rule.group)
        self._young: dict[Place, tuple[StoredRecord, int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. What was not done by then is done by the next.

        Raises:
            Exception: whatever made it impossible to go on; start a new process.
        """
        await self._records.open()
        try:
            while not stop.is_set():
                await self.turn()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._records.close()

    async def turn(self) -> None:
        """Read at most one record, begin whatever is due, and see whether anything went wrong."""
        message = await self._records.poll(room=len(self._tasks) < self._at_once)
        if message is not None:
            self._take(stored_record(message))
        self._begin_due()
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()

    def _take(self, record: StoredRecord) -> None:
        place, now = (record.topic, record.partition), self._clock_ms()
        self._records.progress.begin(place, record.offset)
        # A clock that ran ahead when the record was made holds nothing up for longer than the rule's delay.
        due_ms = min(record.timestamp_ms, now) + round(self._delay_seconds(record) * 1_000)
        if due_ms > now:
            self._young[place] = (record, due_ms)
            self._records.hold(place)
        else:
            self._begin(record, due_ms)

    def _delay_seconds(self, record: StoredRecord) -> float:
        delay = self._rule.delay_seconds
        if not callable(delay):
            return delay
        try:
            event = self._event(record)
        except UndecodableRecord:
            return 0.0  # whoever does it tells so
        return 0.0 if event is None else delay(event)

    def _begin_due(self) -> None:
        for place, (record, due_ms) in list(self._young.items()):
            if not self._records.holds(place):
                del self._young[place]  # the partition is another keeper's, who reads the record as well
            elif due_ms <= self._clock_ms():
                del self._young[place]
                self._records.release(place)
                self._begin(record, due_ms)

    def _begin(self, record: StoredRecord, due_ms: int) -> None:
        LATE.labels(self._rule.name).set(max(0.0, (self._clock_ms() - due_ms) / 1_000))
        self._tasks.add(asyncio.create_task(self._do(record)))

    async def _do(self, record: StoredRecord) -> None:
        try:
            await self._stall.until_done(partial(self._attempt, record))
        except UndecodableRecord as error:
            # The job that folds the topic puts it aside, so it changes nothing; its retry comes by here again.
            logger.warning("keeper-undecodable", topic=record.topic, offset=record.offset, reason=str(error))
        self._records.progress.finish((record.topic, record.partition), record.offset)

    async def _attempt(self, record: StoredRecord) -> None:
        event = self._event(record)
        if event is None:
            return
        begun = time.monotonic()
        await self._rule.deed(Told(event, record))
        DONE.labels(self._rule.name).observe(time.monotonic() - begun)

    def _event(self, record: StoredRecord) -> Event | None:
        """What a record tells; None where that is not the rule's. Raises UndecodableRecord."""
        sealed = self._serde.parse(record.value)
        if sealed.schema.event not in self._rule.events:
            return None
        # Nothing that a rule asks for is personal, so no key is.
        return self._serde.open_record(sealed, lambda subject_id: None)
