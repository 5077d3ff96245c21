"""Events between an engine that brings them one by one and jobs that want them in batches."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Intake(Generic[T]):
    """What came and is not worked on yet; one puts, one takes.

    What comes while a batch is worked on makes up the next one. So batches are small while little happens, and grow
    with what is left to do, and the engine's own work is done while jobs wait for their stores.

    Args:
        batch_max: how many are taken at once, at most; as many may wait.
        linger_seconds: how long the first of a batch waits for others that come right behind it.
        clock: seconds that only go forward.
    """

    def __init__(self, batch_max: int, linger_seconds: float, clock: Callable[[], float]) -> None:
        self._batch_max = batch_max
        self._linger_seconds = linger_seconds
        self._clock = clock
        self._waiting: list[T] = []
        self._since = 0.0
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, one: T) -> None:
        """Add one; waits where too many wait already."""
        if self._full.is_set():
            self._room.clear()
            await self._room.wait()
        self._waiting.append(one)
        if len(self._waiting) == 1:
            self._since = self._clock()
            self._some.set()
        if len(self._waiting) >= self._batch_max:
            self._full.set()

    async def take(self) -> list[T]:
        """All that waits, in the order in which it came: at least one, at most `batch_max`."""
        await self._some.wait()
        left = self._since + self._linger_seconds - self._clock()
        if left > 0 and not self._full.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), left)
        taken, self._waiting = self._waiting, []
        for state in (self._some, self._full):
            state.clear()
        self._room.set()
        return taken
