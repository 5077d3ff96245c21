"""Wires a worker: engines connected, the jobs' ports around them, in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.redis_client import connect_redis
from photolog.keyring import SubjectKeyring
from photolog.log.growths import CassandraGrowths
from photolog.log.producer import LogProducer
from photolog.settings import Settings, key_bytes
from projections.cards import cache_writes
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.recent_reading import RECENT_ENTRIES
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.redis_recent import RedisRecent
from schemas.registry import load_serde
from streams.jobs import JobResources
from streams.publication import ReachRule


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[JobResources]:
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
        yield JobResources(
            rows=CassandraRows(session),
            timelines=RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1_000),
            recent=RedisRecent(redis, RECENT_ENTRIES, limits.cache_seconds * 1_000),
            cache=RedisCache(redis, limits.cache_seconds * 1_000),
            cache_form=cache_writes,
            log=log,
            serde=await asyncio.to_thread(load_serde, settings.registry),
            keys=SubjectKeyring(session, key_bytes(settings.secrets.master_key)),
            reach=ReachRule(limits.celebrity_followers, limits.celebrity_return_percent, limits.fanout_chunk_followers),
            timeline_entries=limits.timeline_entries,
            growths=CassandraGrowths(session),
        )
