"""What became of the records of one partition: sums that are stored with the position, so that each counts once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal

Fate = Literal["applied", "duplicates", "noops", "dead", "parked"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over the records below a position; `consumed` is the sum of the five behind it.

    Args:
        consumed: records that the projection went past.
        applied: they changed something, or their rows were already at or past them when a batch was repeated.
        duplicates: their events had been applied before, at another offset.
        noops: they changed nothing: what they name is unknown or deleted, or is so already.
        dead: they could not be processed.
        parked: they wait behind a dead one of their key.
        below: where counting has come to. A position may be set back below it: no record counts twice.
    """

    consumed: int = 0
    applied: int = 0
    duplicates: int = 0
    noops: int = 0
    dead: int = 0
    parked: int = 0
    below: int = 0

    def after(self, fates: Iterable[tuple[int, Fate]]) -> "Counts":
        """The sums with some more records, each given by its offset."""
        new = [(offset, fate) for offset, fate in fates if offset >= self.below]
        if not new:
            return self
        sums = Counter[str](fate for _, fate in new)
        added = {name: getattr(self, name) + count for name, count in sums.items()}
        below = max(offset for offset, _ in new) + 1
        return Counts(**{**self.as_map(), **added, "consumed": self.consumed + len(new), "below": below})

    def as_map(self) -> dict[str, int]:
        """The sums by their names, as stores keep them."""
        return asdict(self)


_NAMES = frozenset(field.name for field in fields(Counts))
NOTHING_COUNTED = Counts()


def counts_of(stored: Mapping[str, int] | None) -> Counts:
    """Sums as a store kept them; zeros where a version that did not count wrote the position."""
    return Counts(**{name: count for name, count in (stored or {}).items() if name in _NAMES})
