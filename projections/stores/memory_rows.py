"""The row store in dictionaries: the fake that tests use, held to the same contract as Cassandra."""

import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

from projections.packing import fields_in
from projections.stores.memory_positions import MemoryPositions
from projections.stores.port import CLOCK_AHEAD_MS_MAX, RankedRow
from projections.stores.scans import check_scan
from projections.tables import KeyTuple, R, Row, RowKey, Table
from projections.writes import ABSENT, Kept, Positioned, Put

_Partition = dict[KeyTuple, Kept]


class MemoryRows(MemoryPositions):
    """A `RowStore` in this process. Removed rows stay as tombstones, so that an older write cannot bring one back.

    Args:
        clock_ms: Unix milliseconds; tells which rows have ended. By default none ever has.
        ahead_ms: how far ahead that clock may be without a row being lost by it.
    """

    def __init__(self, clock_ms: Callable[[], int] = lambda: 0, ahead_ms: int = CLOCK_AHEAD_MS_MAX) -> None:
        self._clock_ms = clock_ms
        self._ahead_ms = ahead_ms
        self._partitions: defaultdict[tuple[str, KeyTuple], _Partition] = defaultdict(dict)
        super().__init__()

    async def load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        return {key: self._visible(key) for key in keys}

    async def apply(self, stages: Sequence[Sequence[Positioned]]) -> None:
        for stage in stages:
            for positioned in stage:
                self._write(positioned)

    async def get(self, key: RowKey[R]) -> R | None:
        # The key's table fixes the row's type.
        return cast(R | None, self._kept(key).row)

    async def get_many(self, keys: Sequence[RowKey[R]]) -> list[R | None]:
        return [await self.get(key) for key in keys]

    async def scan(
        self,
        table: Table[R],
        partition: KeyTuple,
        *,
        after: KeyTuple | None = None,
        until: KeyTuple | None = None,
        limit: int,
        ended: bool = False,
    ) -> list[R]:
        check_scan(table, partition, after, until)
        rows = [
            kept.row
            for clustering, kept in self._ordered(table, partition, ended=ended)
            if (after is None or is_behind(table, clustering, after))
            and (until is None or not is_behind(table, clustering, until))
        ]
        return cast(list[R], rows[:limit])

    async def scan_partitions(self, table: Table[R], partitions: Sequence[KeyTuple], *, limit: int) -> list[list[R]]:
        return [await self.scan(table, partition, limit=limit) for partition in partitions]

    async def scan_kept(self, table: Table[R], partition: KeyTuple, *, limit: int) -> list[Kept]:
        check_scan(table, partition)
        return [kept for _, kept in self._ordered(table, partition, ended=True)][:limit]

    async def all_rows(self, table: Table[R]) -> AsyncIterator[R]:
        for (name, _), partition in list(self._partitions.items()):
            for kept in list(partition.values()) if name == table.name else ():
                if kept.row is not None and table.is_alive(cast(R, kept.row), self._clock_ms()):
                    yield cast(R, kept.row)

    async def ranked_pages(self, table: Table[R]) -> AsyncIterator[Sequence[RankedRow]]:
        partitions = sorted(
            (zlib.crc32(repr(partition).encode()), partition)
            for name, partition in self._partitions
            if name == table.name
        )
        for rank, partition in partitions:
            rows = [kept.row for _, kept in self._ordered(table, partition) if kept.row is not None]
            yield [(rank, *fields_in(row)) for row in rows]

    def _kept(self, key: RowKey[R]) -> Kept:
        kept = self._partition(key).get(key.values, ABSENT)
        ended = kept.row is not None and not key.table.is_alive(cast(R, kept.row), self._clock_ms())
        return ABSENT if ended else kept

    def _visible(self, key: RowKey[Row]) -> Kept:
        kept = self._kept(key)
        return ABSENT if kept.row is None and not key.table.aggregate else kept

    def _partition(self, key: RowKey[R]) -> _Partition:
        return self._partitions[key.table.name, key.values[: len(key.table.partition)]]

    def _write(self, positioned: Positioned) -> None:
        key = positioned.write.key
        if positioned.offset >= self._kept(key).offset:
            row = positioned.write.row if isinstance(positioned.write, Put) else None
            if row is not None and not key.table.is_alive(row, self._clock_ms() - self._ahead_ms):
                return
            self._partition(key)[key.values] = Kept(row, positioned.offset, positioned.event_ids)

    def _ordered(self, table: Table[R], partition: KeyTuple, *, ended: bool = False) -> list[tuple[KeyTuple, Kept]]:
        place, now_ms = len(table.partition), self._clock_ms()
        alive = [
            (values[place:], kept)
            for values, kept in self._partitions[table.name, partition].items()
            if kept.row is not None and (ended or table.is_alive(cast(R, kept.row), now_ms))
        ]
        # Python's sort is stable: ordering by the last column first leaves the first column in charge.
        for column in reversed(range(len(table.clustering))):
            alive.sort(key=lambda item: item[0][column], reverse=table.clustering[column].startswith("-"))
        return alive


def is_behind(table: Table[R], clustering: KeyTuple, after: KeyTuple) -> bool:
    """Whether a clustering key comes strictly after `after`, a clustering key or a prefix of one, in table order."""
    for field, value, mark in zip(table.clustering, clustering, after, strict=False):
        if value != mark:
            return bool(value < mark) if field.startswith("-") else bool(value > mark)
    return False
