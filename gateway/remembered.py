"""What a process remembers for a minute, so that it does not ask the same rows for everybody."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from projections.graph import FollowerRow

LIFE_SECONDS = 60.0
ACCOUNTS_MAX = 256
T = TypeVar("T")


class Remembered(Generic[T]):
    """A bounded number of values, each for a while.

    Args:
        entries_max: how many; one more takes the place of the oldest.
        life_seconds: how long each is good.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        entries_max: int = ACCOUNTS_MAX,
        life_seconds: float = LIFE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries_max = entries_max
        self._life_seconds = life_seconds
        self._clock = clock
        self._entries: dict[int, tuple[float, T]] = {}

    def get(self, account_id: int) -> T | None:
        """The value, as long as it is good."""
        until, value = self._entries.get(account_id, (0.0, None))
        return value if until > self._clock() else None

    def keep(self, account_id: int, value: T) -> None:
        """Remember a value from now on."""
        self._entries.pop(account_id, None)
        if len(self._entries) >= self._entries_max:
            del self._entries[next(iter(self._entries))]
        self._entries[account_id] = (self._clock() + self._life_seconds, value)


@dataclass(frozen=True, slots=True)
class GraphSums:
    """The counts of an account's edges."""

    followers: int = 0
    following: int = 0
    requests: int = 0


class Celebrities:
    """What one gateway process remembers of celebrities: gateway/celebrities.py says of what use it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.sums: Remembered[GraphSums] = Remembered(clock=clock)
        self.followers: Remembered[Sequence[FollowerRow]] = Remembered(clock=clock)
