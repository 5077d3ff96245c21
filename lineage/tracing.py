"""What an event changed: the pure fold over a part of the log, told row by row."""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from photolog.errors import PhotologError
from projections.fold import Projection, Recorded, fold_one, needed
from projections.tables import R, Row, RowKey
from projections.writes import ABSENT, Kept

ROWS_MAX = 250_000
Standing = Literal["applied", "no effect", "repeat", "put aside"]
"""What became of an event: it changed rows; it had nothing to act on; it had been applied before under its id; its fold
raised, and it is a dead letter."""


class TooMuch(PhotologError):
    """The history of a row is larger than what may be held in memory."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row, before and after an event. None is an absent row."""

    key: RowKey[Row]
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of one event."""

    standing: Standing
    changes: Sequence[Change]


def everything(key: RowKey[Row]) -> bool:
    """Keeps every row."""
    return True


class Tracing:
    """Folds the events of a part of the log one after the other.

    Args:
        projection: the read model.
        kept: the rows whose changes are to be exact. Beside them only those are held that decide about events; what
            others are told to change is right, and where from is not.
        rows_max: how many rows may be held; `ROWS_MAX` where it is not said.
    """

    def __init__(
        self, projection: Projection, kept: Callable[[RowKey[Row]], bool] = everything, rows_max: int | None = None
    ) -> None:
        self._projection = projection
        self._kept = kept
        self._rows_max = ROWS_MAX if rows_max is None else rows_max
        self._state: dict[RowKey[Row], Kept] = {}

    @property
    def state(self) -> Mapping[RowKey[Row], Kept]:
        """The rows that are held, as they are now."""
        return self._state

    def row(self, key: RowKey[R]) -> R | None:
        """A row as it is now."""
        return cast(R | None, self._state.get(key, ABSENT).row)  # the key's table fixes the row's type

    def apply(self, recorded: Recorded) -> Trace:
        """Fold one event.

        Raises:
            TooMuch: they make more rows than may be held.
        """
        try:
            wanted = needed(self._projection, recorded)
            state = ChainMap(self._state, dict.fromkeys(wanted, ABSENT))
            changed, writes = fold_one(self._projection, state, recorded)
        # Whatever a fold raises: the job made a dead letter of the event, and so it had no effect.
        except Exception:  # noqa: BLE001
            return Trace("put aside", ())
        changes = [
            Change(key, before, after.row)
            for key, after in changed.items()
            if (before := self._state.get(key, ABSENT).row) != after.row
        ]
        self._state.update({key: now for key, now in changed.items() if key.table.aggregate or self._kept(key)})
        if len(self._state) > self._rows_max:
            raise TooMuch(f"more than {self._rows_max:,} rows of {self._projection.name} belong to this")
        return Trace("applied" if changes else "no effect" if writes else "repeat", changes)
