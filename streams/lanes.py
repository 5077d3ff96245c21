"""Two lanes of fan-out in one process: the priority lane goes ahead, and the ordinary one never stands still.

Each lane is a topic with an agent of its own, and both share this process and its stores. Ordinary work asks for its
turn between any two small parts: it waits for the priority batches that are in hand then, and not for those that come
after them. So a priority post waits for parts in flight and for nothing that is queued, and ordinary posts go on, a
part at a time, however many verified authors post.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Lane = Literal["ordinary", "priority"]
ORDINARY: Lane = "ordinary"
PRIORITY: Lane = "priority"


class Lanes:
    """Who goes ahead."""

    def __init__(self) -> None:
        self._in_hand: set[asyncio.Future[None]] = set()

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """While a priority batch is worked on."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in_hand.add(done)
        try:
            yield
        finally:
            self._in_hand.remove(done)
            done.set_result(None)

    async def turn(self) -> None:
        """Return once no priority batch is left of those that are in hand now."""
        if self._in_hand:
            await asyncio.wait(set(self._in_hand))
