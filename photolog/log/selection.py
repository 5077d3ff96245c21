"""Which records a command is about."""

from collections.abc import Callable
from dataclasses import dataclass

from photolog.log.record import StoredRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """Records by time, type and key; what is not asked for leaves everything in.

    A record belongs to a stretch of time by its own time, wherever in the log it lies.

    Args:
        since_ms: no record of before this time, Unix milliseconds.
        until_ms: no record of this time or later.
        types: event types; none for all.
        keys: partition keys; none for all.
        untyped: whether records whose type nobody can tell belong to every type.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    types: frozenset[str] = frozenset()
    keys: frozenset[bytes] = frozenset()
    untyped: bool = True

    def holds(self, record: StoredRecord, type_of: Callable[[StoredRecord], str | None]) -> bool:
        """Whether a record is meant.

        Args:
            record: the record.
            type_of: tells the event type of a record that carries it in no header; None for one that is no event.
        """
        if self.since_ms is not None and record.timestamp_ms < self.since_ms:
            return False
        if self.until_ms is not None and record.timestamp_ms >= self.until_ms:
            return False
        if self.keys and record.key not in self.keys:
            return False
        if not self.types:
            return True
        header = record.header("ce_type")
        told = type_of(record) if header is None else header.decode(errors="replace")
        return self.untyped if told is None else told in self.types
