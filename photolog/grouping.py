"""What comes one by one, some at a time."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def grouped(items: AsyncIterable[T], size: int) -> AsyncIterator[list[T]]:
    """Groups of so many in their order; the last one holds what is left.

    Args:
        items: what comes; no more of it is held than one group.
        size: of a group, at least 1.
    """
    group: list[T] = []
    async for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
