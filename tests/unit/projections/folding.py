"""A projection folded event by event into memory rows, for tests that tell a story."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from photolog.ids import EPOCH_MS, new_event_id
from projections.fold import Outcome, Projection, Recorded, fold_batch, needed
from projections.stores.memory_rows import MemoryRows
from projections.tables import R, RowKey, Table
from schemas.events import Event

T = TypeVar("T")
START_MS = EPOCH_MS + 86_400_000


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, as those of memory stores do not."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # the coroutine's own return value
    coroutine.close()
    raise AssertionError("a memory store waited")


class Folding:
    """One partition of a log and the rows that it folds into. Offset n happens n seconds after `START_MS`.

    Args:
        projection: what folds.
        partition: the source partition of every event.
    """

    def __init__(self, projection: Projection, partition: int = 2) -> None:
        self.store = MemoryRows()
        self._projection = projection
        self._partition = partition
        self._offset = 0

    @property
    def last_ms(self) -> int:
        """When the last event happened."""
        return START_MS + (self._offset - 1) * 1_000

    def apply(self, *events: Event) -> "Folding":
        """Append and fold events, each in a batch of its own."""
        for event in events:
            topic = self._projection.topics[0].name
            at_ms = START_MS + self._offset * 1_000
            self._fold(Recorded(event, new_event_id(), topic, self._partition, self._offset, at_ms))
            self._offset += 1
        return self

    def row(self, key: RowKey[R]) -> R | None:
        """One row."""
        return at_once(self.store.get(key))

    def rows(self, table: Table[R], *partition: Any) -> list[R]:
        """The rows of one partition of a table, in order."""
        return at_once(self.store.scan(table, partition, limit=1_000))

    def _fold(self, recorded: Recorded) -> Outcome:
        state = at_once(self.store.load(needed(self._projection, recorded)))
        outcome = fold_batch(self._projection, state, [recorded])
        at_once(self.store.apply([list(outcome.others.values()), list(outcome.aggregates.values())]))
        return outcome
