"""Writes as data: what a projection wants done, for a store to do."""

from dataclasses import dataclass
from uuid import UUID

from projections.tables import R, Row, RowKey, Table


@dataclass(frozen=True, slots=True)
class Put:
    """Make the row at `key` be exactly `row`."""

    key: RowKey[Row]
    row: Row


@dataclass(frozen=True, slots=True)
class Remove:
    """Make the row at `key` be absent."""

    key: RowKey[Row]


Write = Put | Remove


def put(table: Table[R], row: R) -> Put:
    """A `Put` of a typed row at its own key."""
    return Put(table.key_of(row), row)


def remove(key: RowKey[R]) -> Remove:
    """A `Remove` of a typed key."""
    return Remove(key)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store holds at one key, with where in the log it came from.

    Args:
        row: the row, None where it is absent or was removed.
        offset: the place (`Recorded.place`) of the record that last wrote it: in a topic that never grew, the offset
            in its one source partition. -1 where nothing ever did.
        event_ids: ids of recent events applied to an aggregate's row, oldest first.
    """

    row: Row | None
    offset: int = -1
    event_ids: tuple[UUID, ...] = ()


ABSENT = Kept(None)


@dataclass(frozen=True, slots=True)
class Positioned:
    """One write with the place in the log that it came from. An older one never undoes a newer one."""

    write: Write
    offset: int
    event_ids: tuple[UUID, ...] = ()
