"""Wires a worker: engines connected, the jobs' ports around them, in one place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.redis_client import connect_redis
from photolog.keyring import SubjectKeyring
from photolog.log.growths import CassandraGrowths
from photolog.log.producer import LogProducer
from photolog.settings import Settings, key_bytes
from projections.cards import cache_writes
from projections.generations import Selection
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_cache import GenerationCache
from projections.stores.generation_pointers import CassandraPointers, PointerStore
from projections.stores.generation_positions import Selected
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers
from projections.stores.recent_reading import RECENT_ENTRIES
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.redis_recent import RedisRecent
from projections.stores.redis_seen import RedisSeen
from schemas.registry import load_serde
from streams.jobs import JobResources
from streams.publication import ReachRule


@dataclass(frozen=True, slots=True)
class Connected:
    """Engines that are connected, and what jobs of any selection of generations work with.

    Args:
        live: what the live jobs work with: the generations that their piece of work pinned.
        pinned: tells which generations there are.
        pointers: where that is written.
        at: what jobs of a fixed selection work with.
        session: Cassandra's.
    """

    live: JobResources
    pinned: PinnedPointers
    pointers: PointerStore
    at: Callable[[Selection], JobResources]
    session: CassandraSession


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[JobResources]:
    """What the live jobs work with. Raises as `connect_generations`."""
    async with connect_generations(settings) as connected:
        yield connected.live


@asynccontextmanager
async def connect_generations(settings: Settings) -> AsyncIterator[Connected]:
    """Connect everything, and close it again at the end.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    limits = settings.limits
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        log = LogProducer(settings.kafka)
        await log.start()
        closing.push_async_callback(log.close)
        pointers = CassandraPointers(session)
        pinned = PinnedPointers(pointers)
        closing.push_async_callback(pinned.close)
        serde = await asyncio.to_thread(load_serde, settings.registry)
        rows, cache = CassandraRows(session), RedisCache(redis, limits.cache_seconds * 1_000)

        def of(selected: Selected) -> JobResources:
            return JobResources(
                rows=GenerationRows(rows, selected),
                timelines=RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1_000),
                recent=RedisRecent(redis, RECENT_ENTRIES, limits.cache_seconds * 1_000, selected),
                seen=RedisSeen(redis, selected),
                cache=GenerationCache(cache, selected),
                cache_form=cache_writes,
                log=log,
                serde=serde,
                keys=SubjectKeyring(session, key_bytes(settings.secrets.master_key)),
                reach=ReachRule(
                    limits.celebrity_followers, limits.celebrity_return_percent, limits.fanout_chunk_followers
                ),
                timeline_entries=limits.timeline_entries,
                story_life_ms=round(limits.story_life_seconds * 1_000),
                growths=CassandraGrowths(session),
                selected=selected,
            )

        yield Connected(of(pinned.selected), pinned, pointers, lambda selection: of(lambda: selection), session)
