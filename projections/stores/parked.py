"""Keys whose records are put aside: the first of them could not be processed, and the others wait behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parked:
    """One key. Places are those of `photolog.log.growth.place_of`; they order a key's records also where it has moved.

    Args:
        partition: where the first of its records lies.
        since: the place of that record.
        settled: its records up to this place are applied after all, or given up.
        last: the place of the last record that was put aside; once it is settled, nothing of the key is left.
    """

    partition: int
    since: int
    settled: int
    last: int

    def as_numbers(self) -> tuple[int, int, int, int]:
        """As stores keep it."""
        return (self.partition, self.since, self.settled, self.last)


ParkedKeys = Mapping[bytes, Parked]


def parked_of(stored: Mapping[bytes, Sequence[int]] | None) -> dict[bytes, Parked]:
    """Keys as a store kept them; none where a version that did not park wrote the position."""
    return {key: Parked(*numbers) for key, numbers in (stored or {}).items()}
