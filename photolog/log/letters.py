"""Dead letters as they are read back: the record that was put aside, as it was, and what it was put aside for."""

from dataclasses import dataclass

from photolog.log import dead_letters, retries
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.log.retries import Place, Retry, retry_of

PARKED = "parked behind"


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. A record that was retried in vain is the same letter as before, with its newest reason.

    Args:
        record: what was put aside, at its own place in its own topic.
        projection: who could not process it.
        reason: why.
        ordered: whether its key is parked.
        failed_at: where it was put aside last: its own place, or that of a retry.
    """

    record: StoredRecord
    projection: str
    reason: str
    ordered: bool
    failed_at: Place

    @property
    def origin(self) -> Place:
        """The partition and the offset of the record."""
        return self.record.partition, self.record.offset

    @property
    def name(self) -> str:
        """What people call it by: `topic/partition/offset`."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"

    @property
    def event_id(self) -> str:
        """The id of its event, empty where it has none."""
        return (self.record.header("ce_id") or b"").decode(errors="replace")

    @property
    def is_parked(self) -> bool:
        """Whether nothing is wrong with it but what is in front of it."""
        return self.reason.startswith(PARKED)


def letter_of(stored: StoredRecord) -> Letter | None:
    """The letter that a record of a dead-letter topic is; None where it is none of ours."""
    told = {name: (value or b"").decode(errors="replace") for name, value in stored.headers}
    try:
        failed_at = int(told["dead_partition"]), int(told["dead_offset"])
        topic, projection, reason = told["dead_topic"], told["dead_projection"], told["dead_reason"]
    except (KeyError, ValueError):
        return None
    missing = told.get("dead_null", "").split(",")
    retry = retry_of(stored)
    partition, offset = retry.origin if retry is not None and retry.ordered else failed_at
    own = tuple(header for header in stored.headers if not header[0].startswith((dead_letters.PREFIX, retries.PREFIX)))
    key, value = (None if name in missing else getattr(stored, name) for name in ("key", "value"))
    record = StoredRecord(topic, partition, offset, key, value, own, stored.timestamp_ms)
    return Letter(record, projection, reason, "dead_order" in told, failed_at)


def retried(letter: Letter, behind: Place | None = None, *, dropped: bool = False) -> EncodedRecord:
    """The record that takes a letter's place: the same bytes, key, ids and time.

    Args:
        letter: the letter.
        behind: the place of what was put aside before it of its key.
        dropped: it is given up: only its key is appended, so that what comes behind it is let through.
    """
    record = letter.record
    retry = Retry(letter.projection, letter.origin, letter.ordered, behind, dropped)
    own = tuple((name, value or b"") for name, value in record.headers)
    return EncodedRecord(
        topic=record.topic,
        key=record.key or b"",
        value=b"" if dropped else record.value or b"",
        headers=own + retry.headers(),
        timestamp_ms=record.timestamp_ms,
    )
