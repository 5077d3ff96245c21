"""A row store that remembers what passed through it, for a process that is the only one to write its rows.

A rebuild folds one partition after the other into tables of its own. It would read each row that it is about to change;
most were written a moment ago, or never. Memory is bounded: rows that were not used for long are read again.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from projections.stores.generation_positions import first_generations
from projections.stores.generation_rows import GenerationRows
from projections.stores.port import RowStore
from projections.stores.seen_keys import SeenKeys
from projections.tables import Row, RowKey
from projections.writes import ABSENT, Kept, Positioned, Put

ROWS_MAX = 100_000


class RememberedRows(GenerationRows):
    """A `RowStore` over another. Lists are read as ever: a fold needs none.

    Args:
        rows: the store.
        fresh: whether the tables were empty when this process began; then what it has not written is not there.
        rows_max: how many rows are remembered.
    """

    def __init__(self, rows: RowStore, *, fresh: bool, rows_max: int = ROWS_MAX) -> None:
        super().__init__(rows, first_generations)
        self._rows_max = rows_max
        self._held: OrderedDict[RowKey[Row], Kept] = OrderedDict()
        self._forgotten = SeenKeys() if fresh else None

    async def load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        """See `RowStore.load`."""
        found: dict[RowKey[Row], Kept] = {}
        unknown: list[RowKey[Row]] = []
        for key in keys:
            kept = self._held.get(key)
            if kept is not None:
                self._held.move_to_end(key)
                found[key] = kept
            elif self._forgotten is not None and key not in self._forgotten:
                found[key] = ABSENT
            else:
                unknown.append(key)
        if unknown:
            read = await super().load(unknown)
            found |= read
            self._remember(read)
        return found

    async def apply(self, stages: Sequence[Sequence[Positioned]]) -> None:
        """See `RowStore.apply`. What is written is remembered once it is there."""
        await super().apply(stages)
        self._remember({write.write.key: _kept(write) for stage in stages for write in stage})

    def _remember(self, rows: Mapping[RowKey[Row], Kept]) -> None:
        self._held.update(rows)
        for key in rows:
            self._held.move_to_end(key)
        while len(self._held) > self._rows_max:
            key, _ = self._held.popitem(last=False)
            if self._forgotten is not None:
                self._forgotten.add(key)


def _kept(positioned: Positioned) -> Kept:
    """What the store answers for a row that was written so."""
    write = positioned.write
    if isinstance(write, Put):
        return Kept(write.row, positioned.offset, positioned.event_ids)
    return Kept(None, positioned.offset, positioned.event_ids) if write.key.table.aggregate else ABSENT
