"""Tables as typed rows: what a projection reads and writes, whatever store keeps it.

A row is a frozen msgspec Struct; a table names which of its fields are the key. Stores derive their own form
(CQL, dictionaries) from this. The tables themselves stand beside their projection.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a read model. Field types: int, str, bool, float, bytes, their optionals, and lists of them."""


R = TypeVar("R", bound=Row)
R_co = TypeVar("R_co", bound=Row, covariant=True)  # A key only names a row, so one of a PostRow is one of a Row.
KeyTuple = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """A table of one row type.

    Args:
        name: its name in every store.
        row: the row type.
        partition: fields of the key that place the row; a query reads within one such partition.
        clustering: fields of the key that order the rows of a partition; "-field" is descending.
        aggregate: rows of this table decide whether an event was applied; each is written after everything
            that the same event writes, and remembers the ids of its recent events, also when the row is removed.
            Such a table is read by key; lists stand in tables of their own.
        expires: the field that holds when a row ceases to be, Unix ms; None where rows stay. From that moment on no
            store shows the row, and it removes it by itself. A row written later ends no sooner than the one that it
            takes the place of. Nothing that lasts may be decided by a row that does not.
    """

    name: str
    row: type[R]
    partition: tuple[str, ...]
    clustering: tuple[str, ...] = ()
    aggregate: bool = False
    expires: str | None = None

    key_fields: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """All fields of the primary key, in order."""

    def __post_init__(self) -> None:
        columns = tuple(column.removeprefix("-") for column in self.clustering)
        object.__setattr__(self, "key_fields", self.partition + columns)

    def is_alive(self, row: R, now_ms: int) -> bool:
        """Whether a row is there at a time, Unix ms."""
        return self.expires is None or bool(getattr(row, self.expires) > now_ms)

    def key_of(self, row: R) -> "RowKey[R]":
        """The key of a row."""
        return RowKey(self, tuple(getattr(row, field) for field in self.key_fields))

    def key(self, *values: Any) -> "RowKey[R]":
        """A key from its values, in the order of `key_fields`."""
        if len(values) != len(self.key_fields):
            raise ValueError(f"{self.name} is keyed by {self.key_fields}, not {values}")
        return RowKey(self, values)


@dataclass(frozen=True, slots=True)
class RowKey(Generic[R_co]):
    """One row's address."""

    table: Table[R_co]
    values: KeyTuple

    def __hash__(self) -> int:
        return hash((self.table.name, self.values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowKey) and self.table.name == other.table.name and self.values == other.values
