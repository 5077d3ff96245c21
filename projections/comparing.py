"""Comparing two builds of a table in one pass: both in the same order, a row of each in memory."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from projections.packing import key_places, pack_fields, pack_ranked
from projections.stores.port import RankedRow
from projections.tables import KeyTuple, Row, RowKey, Table

Pages = AsyncIterator[Sequence[RankedRow]]
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

    def add(self, encoded: bytes) -> None:
        """Add a row, or anything that is as good as its bytes."""
        self.rows += 1
        self._sum += number_of(encoded)

    def add_sum(self, rows: int, total: int) -> None:
        """Add rows whose own digests (`number_of`) were summed up."""
        self.rows += rows
        self._sum += total

    def merge(self, other: "Digest") -> None:
        """Add all that another holds."""
        self.add_sum(other.rows, other._sum)

    def __str__(self) -> str:
        return f"{self._sum % _MODULUS:0{2 * DIGEST_BYTES}x}"


def digest_prefix(table: Table[Any]) -> bytes:
    """What stands before the packed rows of a table in a digest, so that tables that hold the same differ."""
    return table.name.encode() + b"\0"


def number_of(encoded: bytes) -> int:
    """The digest of one row."""
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest())


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
        self._name = digest_prefix(table)
        self._places = key_places(table)
        self._partition_fields = len(table.partition)
        self._descending = [field.startswith("-") for field in table.clustering]

    async def mismatches(self, live: Pages, other: Pages) -> AsyncIterator[RowKey[Row]]:
        """The keys of rows that are not the same in both, as they were when they were read.

        Args:
            live: every row of the live build, by rank and in clustering order.
            other: every row of the other, in the same order.
        """
        left, right = _Side(live), _Side(other)
        while await left.refill() and await right.refill():
            for key in self._merged(left, right):
                yield RowKey(self.table, key)
        for side, digest in ((left, self.live), (right, self.other)):
            while await side.refill():
                for row in side.page[side.at :]:
                    digest.add(self._name + pack_ranked(row))
                    yield RowKey(self.table, self._key(row))
                side.at = len(side.page)

    def _merged(self, left: "_Side", right: "_Side") -> list[KeyTuple]:
        """Compare two pages until one of them is at its end. In one loop: a table has very many rows."""
        name, page, others = self._name, left.page, right.page
        at, other_at, ends = left.at, right.at, (len(page), len(others))
        same, total, differing = 0, 0, []
        while at < ends[0] and other_at < ends[1]:
            row, other = page[at], others[other_at]
            if row == other:
                total += number_of(name + pack_fields(row[1:]))
                same, at, other_at = same + 1, at + 1, other_at + 1
                continue
            key, other_key = self._key(row), self._key(other)
            alike = key == other_key
            if alike or self._is_before(row[0], key, other[0], other_key):
                differing.append(key)
                self.live.add(name + pack_ranked(row))
                at += 1
            if alike or not self._is_before(row[0], key, other[0], other_key):
                if not alike:
                    differing.append(other_key)
                self.other.add(name + pack_ranked(other))
                other_at += 1
        self.live.add_sum(same, total)
        self.other.add_sum(same, total)
        left.at, right.at = at, other_at
        return differing

    def _key(self, row: RankedRow) -> KeyTuple:
        return tuple([row[place] for place in self._places])

    def _is_before(self, rank: int, key: KeyTuple, other_rank: int, other_key: KeyTuple) -> bool:
        """Whether a row comes before another that has another key.

        Partitions whose ranks collide come in an order that only the store knows; the rows of one of them may be taken
        for missing, and are found again when they are read by their keys.
        """
        if rank != other_rank:
            return rank < other_rank
        if key[: self._partition_fields] != other_key[: self._partition_fields]:
            return key < other_key
        for place, descending in enumerate(self._descending, self._partition_fields):
            one, another = key[place], other_key[place]
            if one != another:
                return bool(one > another) if descending else bool(one < another)
        return False


class _Side:
    """One side of a comparison: the page at hand, and how far it was compared."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.page: Sequence[RankedRow] = ()
        self.at = 0

    async def refill(self) -> bool:
        """Have a row at hand; False behind the last."""
        while self.at >= len(self.page):
            try:
                self.page, self.at = await anext(self._pages), 0
            except StopAsyncIteration:
                return False
        return True
