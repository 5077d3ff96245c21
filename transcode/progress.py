"""Which offsets may be committed while photographs finish in any order: pure bookkeeping."""

import threading
from collections.abc import Iterable

Place = tuple[str, int]
"""A topic and a partition."""


class Progress:
    """Records begun and finished. Used by the loop and, during a rebalance, by the client's thread."""

    def __init__(self) -> None:
        self._open: dict[Place, set[int]] = {}
        self._next: dict[Place, int] = {}
        self._lock = threading.Lock()

    def begin(self, place: Place, offset: int) -> None:
        """A record was read."""
        with self._lock:
            self._open.setdefault(place, set()).add(offset)
            self._next[place] = max(offset + 1, self._next.get(place, 0))

    def finish(self, place: Place, offset: int) -> None:
        """Its answer is in the log. Nothing happens where the partition is another worker's by now."""
        with self._lock:
            self._open.get(place, set()).discard(offset)

    def committable(self, places: Iterable[Place] | None = None) -> dict[Place, int]:
        """For each partition the offset before which everything is finished; of all partitions where none are named."""
        with self._lock:
            wanted = self._next.keys() & set(self._next if places is None else places)
            return {place: min(self._open.get(place) or {self._next[place]}) for place in wanted}

    def forget(self, places: Iterable[Place]) -> None:
        """These partitions are another worker's now."""
        with self._lock:
            for place in places:
                self._open.pop(place, None)
                self._next.pop(place, None)
