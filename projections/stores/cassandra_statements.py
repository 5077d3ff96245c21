"""The CQL of one table: its reads and writes, and how answers become rows again."""

from collections.abc import Sequence
from itertools import groupby
from math import prod
from typing import Any, Generic
from uuid import UUID

import msgspec

from photolog.errors import Corruption
from photolog.log.growth import EPOCHS_MAX, OFFSET_BITS
from projections.packing import fields_in
from projections.stores.cassandra_ddl import EVENT_IDS, OFFSET, PRESENT, fields_of, nullable_fields, quoted
from projections.stores.port import RankedRow
from projections.tables import KeyTuple, R, RowKey, Table
from projections.writes import Kept, Positioned, Put

Statement = tuple[str, tuple[Any, ...]]

_ORDINAL_BITS = 12
_UUID_BYTES = 16
_PARTITIONS_PER_READ = 128
_ROWS_PER_READ = 32
_READ_ALONE_MAX = 8
_SECOND_MS = 1_000
_LOOKS_PER_READ = 256  # CQL looks for the product of what each column may be


def write_timestamp(offset: int, *, epoch: int = 0, ordinal: int = 0) -> int:
    """A write's Cassandra timestamp, which makes the log's order win over any order of arrival.

    Args:
        offset: the record's, at most 2^40 - 1.
        epoch: how often the topic's partitions have grown, at most 2^11 - 1; offsets begin again when a key moves.
        ordinal: the place among an event's writes of one row, at most 2^12 - 1.

    Returns:
        63 bits: epoch, offset, ordinal.

    Raises:
        ValueError: a part is out of bounds.
    """
    if not (0 <= offset >> OFFSET_BITS == 0 and 0 <= epoch < EPOCHS_MAX and 0 <= ordinal < 1 << _ORDINAL_BITS):
        raise ValueError(f"no write timestamp for offset {offset}, epoch {epoch}, ordinal {ordinal}")
    return (epoch << (OFFSET_BITS + _ORDINAL_BITS)) | (offset << _ORDINAL_BITS) | ordinal


class TableStatements(Generic[R]):
    """The statements of one table."""

    def __init__(self, table: Table[R]) -> None:
        self._table = table
        self._fields = fields_of(table)
        self._nullable = nullable_fields(table.row)
        self._has_defaults = any(not field.required for field in msgspec.structs.fields(table.row))
        own = (OFFSET, EVENT_IDS, PRESENT) if table.aggregate else (OFFSET,)
        self._key_places = [self._fields.index(field) for field in table.key_fields]
        self._partition_places = [self._fields.index(field) for field in table.partition]
        at_key = " AND ".join(f"{quoted(field)} = ?" for field in table.key_fields)
        stored = (*self._fields, *own)
        ending = " AND TTL ?" if table.expires else ""
        self._put = (
            f"INSERT INTO {quoted(table.name)} ({_names(stored)}) VALUES ({_marks(stored)}) USING TIMESTAMP ?{ending}"
        )
        self._expires_place = self._fields.index(table.expires) if table.expires else None
        self._remove = f"DELETE FROM {quoted(table.name)} USING TIMESTAMP ? WHERE {at_key}"
        self._read = f"SELECT {_names(stored)} FROM {quoted(table.name)} WHERE {at_key}"
        self._in_partitions = " AND ".join(f"{quoted(field)} IN ?" for field in table.partition)
        self._in_partition = " AND ".join(f"{quoted(field)} = ?" for field in table.partition)
        self._scan = f"SELECT {_names(stored)} FROM {quoted(table.name)} WHERE"

    def write(self, positioned: Positioned, now_ms: int = 0) -> Statement:
        """The statement that does a write at a time, Unix ms."""
        epoch, offset = positioned.offset >> OFFSET_BITS, positioned.offset & (1 << OFFSET_BITS) - 1
        timestamp = write_timestamp(offset, epoch=epoch)
        write = positioned.write
        if isinstance(write, Put):
            values = [getattr(write.row, field) for field in self._fields]
        elif self._table.aggregate:
            # The row goes and what it remembers stays. Its columns are emptied: they may hold what a person wrote.
            key = dict(zip(self._table.key_fields, write.key.values, strict=True))
            values = [key.get(field) for field in self._fields]
        else:
            return self._remove, (timestamp, *write.key.values)
        own: tuple[Any, ...] = (positioned.offset,)
        if self._table.aggregate:
            own = (*own, b"".join(event_id.bytes for event_id in positioned.event_ids), isinstance(write, Put))
        if self._expires_place is None:
            return self._put, (*values, *own, timestamp)
        # Cassandra counts whole seconds: it keeps the row a little too long, and nobody is shown it then.
        seconds = -(-(values[self._expires_place] - now_ms) // _SECOND_MS)
        return self._put, (*values, *own, timestamp, max(1, seconds))

    def is_alive(self, values: tuple[Any, ...], now_ms: int) -> bool:
        """Whether what was answered for one row is there at a time, Unix ms."""
        return self._expires_place is None or values[self._expires_place] > now_ms

    def reads(self, keys: Sequence[RowKey[R]]) -> list[tuple[Statement, list[RowKey[R]]]]:
        """Statements that read rows, each with the keys that it reads.

        A few rows are read each by a node that has it. Many come by one node for all, where a column names a partition
        and at most one other a row in it. The answer may then hold rows beside those that were asked for.
        """
        columns = self._table.key_fields
        if len(keys) <= _READ_ALONE_MAX or len(columns) > 2 or len(self._table.partition) > 1:
            return [((self._read, key.values), [key]) for key in keys]
        cql = f"{self._scan} {' AND '.join(f'{quoted(column)} IN ?' for column in columns)}"
        return [((cql, tuple(map(list, _columns_of(part)))), part) for part in _parts(keys)]

    def key_of(self, values: tuple[Any, ...]) -> RowKey[R]:
        """The key of a row that was answered."""
        return RowKey(self._table, tuple(values[place] for place in self._key_places))

    def scan_partitions(self, partitions: Sequence[KeyTuple], limit: int) -> list[Statement]:
        """Statements that read the first rows of each of these partitions, so many partitions at a time.

        CQL names partitions as a product of what each column may be. Those that differ in their first column alone
        share a statement.
        """
        firsts: dict[Any, list[KeyTuple]] = {}
        for first, *rest in partitions:
            firsts.setdefault(first, []).append(tuple(rest))
        alike: dict[KeyTuple, list[Any]] = {}
        for first, rests in firsts.items():
            alike.setdefault(tuple(sorted(rests)), []).append(first)
        cql = f"{self._scan} {self._in_partitions} PER PARTITION LIMIT ?"
        statements = []
        for others, group in alike.items():
            columns = [sorted(set(column)) for column in zip(*others, strict=True)]
            at_once = max(1, _PARTITIONS_PER_READ // len(others))
            for start in range(0, len(group), at_once):
                statements.append((cql, (group[start : start + at_once], *columns, limit)))
        return statements

    def partition_of(self, values: tuple[Any, ...]) -> KeyTuple:
        """The partition of what a scan answered for one row."""
        return tuple(values[place] for place in self._partition_places)

    def scan(self, partition: KeyTuple, after: KeyTuple | None, until: KeyTuple | None = None) -> list[Statement]:
        """Statements that read a partition in order, each lacking its limit, the last parameter.

        CQL compares tuples of columns in one direction only. Where directions are mixed, what is behind a key falls
        into one slice for each run of equal directions: first the rows that differ in the last run alone.
        """
        ended, end_values = self._until(until)
        if after is None:
            return [(f"{self._scan} {self._in_partition}{ended} LIMIT ?", (*partition, *end_values))]
        slices: list[Statement] = []
        equal, equal_values = self._in_partition, partition
        columns = self._table.clustering[: len(after)]
        for descending, run in groupby(columns, key=lambda column: column.startswith("-")):
            names = [column.removeprefix("-") for column in run]
            values = after[len(equal_values) - len(partition) :][: len(names)]
            behind = f"({_names(names)}) {'<' if descending else '>'} ({_marks(names)})"
            slices.append((f"{self._scan} {equal} AND {behind}{ended} LIMIT ?", (*equal_values, *values, *end_values)))
            equal += "".join(f" AND {quoted(name)} = ?" for name in names)
            equal_values = (*equal_values, *values)
        return slices[::-1]

    def _until(self, until: KeyTuple | None) -> tuple[str, KeyTuple]:
        """The condition that ends a scan, and its values; none for a scan without an end."""
        if until is None:
            return "", ()
        columns = self._table.clustering[: len(until)]
        names = [column.removeprefix("-") for column in columns]
        return f" AND ({_names(names)}) {'>=' if columns[0].startswith('-') else '<='} ({_marks(names)})", until

    def everything(self) -> str:
        """The statement that reads the whole table, in no order."""
        return self._scan.removesuffix(" WHERE")

    def ranked(self) -> str:
        """The statement that reads the whole table in the order of its partitions' tokens, each row behind its
        token."""
        token = f"token({_names(self._table.partition)})"
        return self.everything().replace("SELECT ", f'SELECT {token} AS "partition_token", ', 1)

    def ranked_rows(self, page: Sequence[tuple[Any, ...]], now_ms: int = 0) -> list[RankedRow]:
        """What `ranked` answered, without the rows that were removed or have ended. Nothing is made of a row that need
        not be: whole tables are read like this."""
        count = len(self._fields) + 1
        if self._expires_place is not None:
            page = [values for values in page if self.is_alive(values[1:], now_ms)]
        if self._table.aggregate:
            page = [values for values in page if values[-1]]
        found = [values[:count] for values in page]
        if self._has_defaults:
            found = [self._filled(ranked, values) for ranked, values in zip(found, page, strict=True)]
        return found

    def _filled(self, ranked: RankedRow, values: tuple[Any, ...]) -> RankedRow:
        """A ranked row whose fields that are younger than the stored row have their defaults."""
        return (values[0], *fields_in(self.row(values[1:]))) if None in ranked else ranked

    def kept(self, values: tuple[Any, ...]) -> Kept:
        """What a read or scan answered for one row."""
        offset = values[len(self._fields)]
        if not self._table.aggregate:
            return Kept(self.row(values), offset)
        ids, present = values[-2:]
        event_ids = tuple(UUID(bytes=ids[at : at + _UUID_BYTES]) for at in range(0, len(ids), _UUID_BYTES))
        return Kept(self.row(values) if present else None, offset, event_ids)

    def row(self, values: tuple[Any, ...]) -> R | None:
        """The row alone. A field that is younger than the stored row takes its default.

        Raises:
            Corruption: a field that has no default is not there.
        """
        if self._table.aggregate and not values[-1]:
            return None
        stored = zip(self._fields, values, strict=False)
        if None in values:
            present = {name: value for name, value in stored if value is not None or name in self._nullable}
        else:
            present = dict(stored)
        try:
            return self._table.row(**present)
        except TypeError as error:
            raise Corruption(f"a stored row of {self._table.name}: {error}") from error


def _columns_of(keys: Sequence[RowKey[Any]]) -> list[dict[Any, None]]:
    """The values that keys have in each column, each once."""
    return [dict.fromkeys(column) for column in zip(*(key.values for key in keys), strict=True)]


def _parts(keys: Sequence[RowKey[R]]) -> list[list[RowKey[R]]]:
    """Keys as parts that a statement each reads; those of one partition stay together."""
    parts: list[list[RowKey[R]]] = []
    looked_for: list[set[Any]] = []
    for key in sorted(keys, key=lambda key: key.values):
        wider = [column | {value} for column, value in zip(looked_for, key.values, strict=True)] if looked_for else []
        if not wider or len(parts[-1]) == _ROWS_PER_READ or prod(map(len, wider)) > _LOOKS_PER_READ:
            parts.append([])
            wider = [{value} for value in key.values]
        parts[-1].append(key)
        looked_for = wider
    return parts


def _names(columns: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(quoted, columns))


def _marks(columns: tuple[str, ...] | list[str]) -> str:
    return ", ".join("?" for _ in columns)
