"""Reads a partition whole, as tests want it."""

from typing import Any

from projections.stores.memory_rows import MemoryRows
from projections.tables import R, Table
from tests.unit.projections.folding import at_once

EVERYTHING = 10_000


def scanned(store: MemoryRows, table: Table[R], *partition: Any) -> list[R]:
    """All rows of a partition, in order; each says itself that it belongs there."""
    rows = at_once(store.scan(table, partition, limit=EVERYTHING))
    for row in rows:
        assert table.key_of(row).values[: len(partition)] == partition
    return rows
