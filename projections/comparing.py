"""Comparing two builds of a table in one pass: both in the same order, a row of each in memory."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from projections.tables import KeyTuple, Row, RowKey, Table
from projections.writes import Kept

Pages = AsyncIterator[Sequence[tuple[int, Kept]]]
DIGEST_BYTES = 16
_MODULUS = 1 << (8 * DIGEST_BYTES)
_encode = msgspec.msgpack.Encoder().encode


class Digest:
    """The digest of a set of rows, whatever their order: the sum of the rows' own digests (a multiset hash, as in
    Bellare and Micciancio 1997, with addition modulo 2^128).

    It tells rows that differ by accident, which is what it is for; it is no proof against somebody who may choose rows.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, table: str, row: Row) -> None:
        """Add a row of a table."""
        self.add_bytes(table.encode() + b"\0" + _encode(row))

    def add_bytes(self, encoded: bytes) -> None:
        """Add anything."""
        self.rows += 1
        self._sum += int.from_bytes(hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest())

    def merge(self, other: "Digest") -> None:
        """Add all that another holds."""
        self.rows += other.rows
        self._sum += other._sum

    def __str__(self) -> str:
        return f"{self._sum % _MODULUS:0{2 * DIGEST_BYTES}x}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same in two builds.

    Args:
        key: the row's, in the table's own name.
        live: as it is in the live build, None where it is absent.
        other: as it is in the other.
    """

    key: RowKey[Row]
    live: Row | None
    other: Row | None

    def encoded(self) -> bytes:
        """The difference as bytes, for a digest of all of them."""
        return _encode((self.key.table.name, self.key.values, self.live, self.other))


class Comparison:
    """One table of two builds.

    Args:
        table: the table.
        live: the digest of the live build's rows, filled by `mismatches`.
        other: the digest of the other's.
    """

    def __init__(self, table: Table[Any]) -> None:
        self.table: Table[Any] = table
        self.live, self.other = Digest(), Digest()

    async def mismatches(self, live: Pages, other: Pages) -> AsyncIterator[RowKey[Row]]:
        """The keys of rows that are not the same in both, as they were when they were read.

        Args:
            live: every row of the live build, by rank and in clustering order.
            other: every row of the other, in the same order.
        """
        left, right = _Rows(self.table, live, self.live), _Rows(self.table, other, self.other)
        await left.advance()
        await right.advance()
        while left.row is not None or right.row is not None:
            if left.row is not None and right.row is not None and left.key == right.key:
                if left.row != right.row:
                    yield RowKey(self.table, left.key)
                await left.advance()
                await right.advance()
            elif right.row is None or (left.row is not None and left.is_before(right)):
                yield RowKey(self.table, left.key)
                await left.advance()
            else:
                yield RowKey(self.table, right.key)
                await right.advance()


class _Rows:
    """One side of a comparison: the row at hand, and what is behind it."""

    def __init__(self, table: Table[Any], pages: Pages, digest: Digest) -> None:
        self._table = table
        self._fields = table.key_fields
        self._partition_fields = len(table.partition)
        self._descending = [field.startswith("-") for field in table.clustering]
        self._pages = pages
        self._digest = digest
        self._page: Sequence[tuple[int, Kept]] = ()
        self._at = 0
        self.rank = 0
        self.row: Row | None = None
        self.key: KeyTuple = ()

    async def advance(self) -> None:
        """Take the next row; `row` is None behind the last."""
        while self._at >= len(self._page):
            try:
                self._page, self._at = await anext(self._pages), 0
            except StopAsyncIteration:
                self.row = None
                return
        self.rank, kept = self._page[self._at]
        self._at += 1
        row = kept.row
        if row is None:
            raise ValueError("a page holds rows that are there")
        self.row = row
        self.key = tuple([getattr(row, field) for field in self._fields])
        self._digest.add(self._table.name, row)

    def is_before(self, other: "_Rows") -> bool:
        """Whether this row comes before another that has another key.

        Partitions whose ranks collide come in an order that only the store knows; the rows of one of them may be taken
        for missing, and are found again when they are read by their keys.
        """
        if self.rank != other.rank:
            return self.rank < other.rank
        partition, others = self.key[: self._partition_fields], other.key[: self._partition_fields]
        if partition != others:
            return partition < others
        for place, descending in enumerate(self._descending, self._partition_fields):
            one, another = self.key[place], other.key[place]
            if one != another:
                return bool(one > another) if descending else bool(one < another)
        return False
