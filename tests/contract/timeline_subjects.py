"""The timeline stores under test, with what a test does to them that no caller may."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from photolog.engines.redis_client import RedisClient
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.port import TimelineEntry, TimelineStore
from projections.stores.redis_feeds import RedisTimelines

CAP = 20
LIFE_MS = 600


@dataclass(frozen=True, slots=True)
class TimelineSubject:
    """A store that keeps `CAP` entries, one whose timelines live `LIFE_MS` only, and means to lose both and to wait."""

    store: TimelineStore
    brief: TimelineStore
    flush: Callable[[], Awaitable[None]]
    wait: Callable[[int], Awaitable[None]]


def memory_subject() -> TimelineSubject:
    """In memory, with a clock that moves by waiting only."""
    now_ms = [0]
    stores = [MemoryTimelines(CAP, life_ms, lambda: now_ms[0]) for life_ms in (60_000, LIFE_MS)]

    async def flush() -> None:
        for store in stores:
            store.flush()

    async def wait(period_ms: int) -> None:
        now_ms[0] += period_ms

    return TimelineSubject(stores[0], stores[1], flush, wait)


def redis_subject(client: RedisClient) -> TimelineSubject:
    """In Redis, on a node or a cluster of our own."""

    async def flush() -> None:
        await client.flushall()

    async def wait(period_ms: int) -> None:
        await asyncio.sleep(period_ms / 1_000)

    return TimelineSubject(RedisTimelines(client, CAP, 60_000), RedisTimelines(client, CAP, LIFE_MS), flush, wait)


def entry(published_ms: int, post_id: int | None = None, author_id: int = 7, pull: bool = False) -> TimelineEntry:
    return TimelineEntry(published_ms, published_ms if post_id is None else post_id, author_id, pull)


async def filled(store: TimelineStore, account_id: int, low_mark_ms: int = 0, *entries: TimelineEntry) -> None:
    """Make a timeline that is complete down to a mark."""
    opened = await store.open(account_id)
    await store.merge(account_id, entries, low_mark_ms=low_mark_ms, opened=opened)


async def shown(store: TimelineStore, account_id: int, limit: int = 100) -> list[int]:
    """The newest posts of a timeline."""
    return [item.post_id for item in (await store.page(account_id, before=None, limit=limit)).entries]
