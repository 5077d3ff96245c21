"""Finding a record by the id of its event.

A UUIDv7 tells when it was drawn, so the log is looked through around that time first. What a job concluded has a
UUIDv5, which tells nothing: then, and where the time was wrong, the whole log is looked through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from lineage.reading import Log, Placed, Span
from photolog.errors import NotFound
from photolog.log.growth import epoch_of
from photolog.log.record import StoredRecord
from photolog.log.slices import Slice
from schemas.topics import TOPICS, Topic

AROUND_MS = 10 * 60_000
"""How far a record's time may lie from the time in its event's id: a command draws the id and stamps the record at
once, by one clock, and a retry appends the same bytes."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record.

    Args:
        placed: the first record of the event.
        looked: where it was looked for, in words.
    """

    placed: Placed
    looked: str


async def find_event(log: Log, event_id: UUID, topics: Sequence[Topic] = TOPICS) -> Found:
    """The first record of an event.

    Args:
        log: the log.
        event_id: the event's id.
        topics: where it may be.

    Raises:
        NotFound: no topic holds it.
        LogUnavailable: the broker did not answer.
    """
    if event_id.version == 7:
        at_ms = event_id.int >> 80  # RFC 9562: the first 48 bits
        span = Span(max(0, at_ms - AROUND_MS), at_ms + AROUND_MS)
        slices = [one for topic in topics for one in await log.between(topic.name, span)]
        record = await _look(log, slices, event_id, "around the id's time")
        if record is not None:
            return Found(await _placed(log, record), f"within {AROUND_MS // 60_000} minutes of the id's time")
    slices = [one for topic in topics for one in await log.reader.whole(topic.name)]
    record = await _look(log, slices, event_id, "the whole log")
    if record is None:
        raise NotFound("not-found", f"no topic holds an event {event_id}")
    return Found(await _placed(log, record), "in the whole log")


async def _look(log: Log, slices: Sequence[Slice], event_id: UUID, what: str) -> StoredRecord | None:
    wanted = str(event_id).encode()
    async for records in log.window(slices, what):
        for record in records:
            if (record.header("ce_id") or b"").lower() == wanted:
                return record
    return None


async def _placed(log: Log, record: StoredRecord) -> Placed:
    return Placed(record, epoch_of(await log.growths.of(record.topic), record.partition, record.offset))
