"""Doing many things at once, but not too many."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def bounded_map(function: Callable[[T], Awaitable[R]], items: Sequence[T], concurrency: int) -> list[R]:
    """The results in the items' order. The first error ends the others, so that none outlives the call."""
    if not items:
        return []
    if len(items) == 1:
        return [await function(items[0])]
    results: dict[int, R] = {}
    remaining = iter(enumerate(items))

    async def work(share: Iterable[tuple[int, T]]) -> None:
        for index, item in share:
            results[index] = await function(item)

    tasks = [asyncio.create_task(work(remaining)) for _ in range(min(concurrency, len(items)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [results[index] for index in range(len(items))]
