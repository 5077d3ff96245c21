"""Equal work that is asked for at once is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Collapsing(Generic[K, V]):
    """Does work by its key; who asks while it is under way waits for the same.

    Args:
        work: does it.
    """

    def __init__(self, work: Callable[[K], Awaitable[V]]) -> None:
        self._work = work
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """What comes of the work; its errors are everybody's. It goes on when one who waits is gone."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(self._done(key))
            self._under_way[key] = task
            task.add_done_callback(_look_at)
        return await asyncio.shield(task)

    async def _done(self, key: K) -> V:
        try:
            return await self._work(key)
        finally:
            del self._under_way[key]


def _look_at(task: "asyncio.Task[V]") -> None:
    """An error that nobody waits for any more was everybody's who asked; asyncio need not tell of it again."""
    if not task.cancelled():
        task.exception()
