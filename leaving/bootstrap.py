"""Wires a leaving worker: engines connected, the ports around them, in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.bootstrap import cassandra_vault
from gateway.deadlines import marked_seconds_max
from leaving.cache_entries import CacheEntries, RedisEntries
from leaving.log_reader import KafkaLog
from leaving.resources import LeavingResources
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.engines.redis_client import connect_redis
from photolog.keyring import SubjectKeyring
from photolog.log.producer import LogProducer
from photolog.media.caches import connect_caches
from photolog.settings import Settings, key_bytes
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_cache import GenerationCache
from projections.stores.generation_pointers import CassandraPointers
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers
from projections.stores.recent_reading import RECENT_ENTRIES
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.redis_recent import RedisRecent
from projections.stores.redis_seen import RedisSeen
from schemas.registry import load_serde
from transcode.contents.cassandra import CassandraContents
from transcode.contents.holding import Contents

_SLACK_SECONDS = 5.0  # what was given up on this side may still be on its way to the broker


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[LeavingResources]:
    """Connect everything, and close it again at the end.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    async with connect_scan(settings) as (resources, _):
        yield resources


@asynccontextmanager
async def connect_scan(settings: Settings) -> AsyncIterator[tuple[LeavingResources, CacheEntries]]:
    """The same, with everything that Redis holds. Raises as `connect`."""
    limits, secrets = settings.limits, settings.secrets
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        log = LogProducer(settings.kafka)
        await log.start()
        closing.push_async_callback(log.close)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        await pinned.pin_fresh()
        rows, selected, objects = CassandraRows(session), pinned.selected, ObjectStore(settings.s3)
        resources = LeavingResources(
            rows=GenerationRows(rows, selected),
            timelines=RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1_000),
            recent=RedisRecent(redis, RECENT_ENTRIES, limits.cache_seconds * 1_000, selected),
            seen=RedisSeen(redis, selected),
            cache=GenerationCache(RedisCache(redis, limits.cache_seconds * 1_000), selected),
            log=log,
            reader=KafkaLog(settings.kafka),
            serde=await asyncio.to_thread(load_serde, settings.registry),
            keyring=SubjectKeyring(session, key_bytes(secrets.master_key)),
            vault=cassandra_vault(session, limits),
            objects=objects,
            contents=Contents(CassandraContents(session), objects),
            shared_caches=await closing.enter_async_context(connect_caches(settings.edge)),
            hash_key=key_bytes(secrets.hash_key),
            master_key=key_bytes(secrets.master_key),
            export_seconds=limits.export_seconds,
            settle_seconds=marked_seconds_max(settings) + _SLACK_SECONDS,
            pinned=pinned,
            every_row=rows,
        )
        yield resources, RedisEntries(redis)
