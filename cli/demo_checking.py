"""How the demo checks: what has not arrived yet is asked for again for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from cli.demo_stages import Stages

T = TypeVar("T")
SETTLE_SECONDS = 20.0
AT_ONCE = 12
PAUSE_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Checked:
    """One kind of expectation: how many there were, and what was found instead where it failed."""

    title: str
    count: int
    failures: tuple[str, ...]


async def check_each(
    stages: Stages,
    title: str,
    items: Iterable[T],
    check: Callable[[T], Awaitable[str | None]],
    settle_seconds: float = SETTLE_SECONDS,
) -> Checked:
    """Check something of each item until it is as it must be, or time is up.

    Args:
        stages: shows how it goes.
        title: what is expected.
        items: of what.
        check: what is wrong with an item; None where nothing is.
        settle_seconds: how long an item may take.
    """

    async def settled(item: T) -> str | None:
        deadline = time.monotonic() + settle_seconds
        while True:
            failure = await check(item)
            if failure is None or time.monotonic() > deadline:
                return failure
            await asyncio.sleep(PAUSE_SECONDS)

    found = await stages.each(title, items, settled, AT_ONCE)
    return Checked(title, len(found), tuple(failure for failure in found if failure))
