"""Wires a gateway process: engines connected, ports around them, in one place."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from gateway.authentication import Authentication
from gateway.circuit import Circuit
from gateway.cursors import Cursors
from gateway.edge_addresses import edge_addresses
from gateway.guarded import GuardedCache, GuardedRecent, GuardedSeen, GuardedTimelines
from gateway.limits.memory_buckets import MemoryBuckets
from gateway.limits.redis_buckets import RedisBuckets
from gateway.limits.steady_buckets import SteadyBuckets
from gateway.passwords import Passwords
from gateway.queries.health import Probe
from gateway.services import Services
from gateway.streams.desk import open_desk
from gateway.streams.grants import GrantKeeper
from gateway.streams.log import KafkaStreamLog
from gateway.tokens import AccessTokens
from gateway.vault.credentials import CassandraCredentials
from gateway.vault.erasures import CassandraErasures
from gateway.vault.exports import CassandraExports
from gateway.vault.grants import CassandraGrants
from gateway.vault.nodes import NodeLease
from gateway.vault.port import Vault
from gateway.vault.reservations import CassandraReservations
from gateway.vault.sessions import CassandraSessions
from gateway.vault.uploads import CassandraUploads
from gateway.vault.usernames import CassandraUsernames
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.heap import settle_heap
from photolog.ids import SnowflakeSource, now_ms
from photolog.keyring import SubjectKeyring
from photolog.log.ends import KafkaEnds
from photolog.log.producer import LogProducer
from photolog.settings import LimitSettings, Settings, key_bytes
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_cache import GenerationCache
from projections.stores.generation_pointers import CassandraPointers
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers
from projections.stores.port import VersionedCache
from projections.stores.recent_reading import RECENT_ENTRIES
from projections.stores.redis_cache import RedisCache
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.redis_recent import RedisRecent
from projections.stores.redis_seen import RedisSeen
from schemas.registry import load_serde
from schemas.topics import TOPICS

_PROBE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Wired:
    """A process's services, and how to ask whether its engines answer."""

    services: Services
    probes: Mapping[str, Probe]


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Wired]:
    """Connect everything, and close it again at the end.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        log = LogProducer(settings.kafka)
        await log.start()
        closing.push_async_callback(log.close)
        lease = NodeLease(session, now_ms)
        closing.push_async_callback(lease.close)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        await pinned.pin_fresh()
        services = await _services(settings, session, redis, log, await _ids(settings, lease), pinned)
        closing.callback(services.passwords.close)
        closing.push_async_callback(services.readings.close)
        closing.push_async_callback(services.streams.shut)
        settle_heap()
        yield Wired(services, _probes(settings, session, services.cache, log))


async def _ids(settings: Settings, lease: NodeLease) -> SnowflakeSource:
    """Several processes cannot share the one number that the settings may give."""
    if settings.gateway.node is not None and settings.gateway.workers == 1:
        return SnowflakeSource(settings.gateway.node)
    return await lease.acquire()


async def _services(
    settings: Settings,
    session: CassandraSession,
    redis: RedisClient,
    log: LogProducer,
    ids: SnowflakeSource,
    pinned: PinnedPointers,
) -> Services:
    limits, secrets, selected = settings.limits, settings.secrets, pinned.selected
    rows, vault = GenerationRows(CassandraRows(session), selected), cassandra_vault(session, limits)
    # One engine, one circuit: whoever finds it away spares the others the wait.
    circuit = Circuit("redis", settings.redis.call_timeout_ms / 1000)
    cache = GuardedCache(GenerationCache(RedisCache(redis, limits.cache_seconds * 1000), selected), circuit)
    tokens = AccessTokens(key_bytes(secrets.access_token_key), limits.access_token_seconds, now_ms)
    timelines = GuardedTimelines(
        RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1000), circuit
    )
    serde = await asyncio.to_thread(load_serde, settings.registry)
    cursors = Cursors(key_bytes(secrets.hash_key))
    stream_log = KafkaStreamLog(settings.kafka, settings.streams.history_readers_max)
    grants = GrantKeeper(vault.grants, key_bytes(secrets.access_token_key), now_ms)
    return Services(
        rows=rows,
        timelines=timelines,
        recent=GuardedRecent(RedisRecent(redis, RECENT_ENTRIES, limits.cache_seconds * 1000, selected), circuit),
        seen=GuardedSeen(RedisSeen(redis, selected), circuit),
        cache=cache,
        objects=ObjectStore(settings.s3),
        log=log,
        ends=KafkaEnds(settings.kafka, (topic.name for topic in TOPICS)),
        serde=serde,
        keyring=SubjectKeyring(session, key_bytes(secrets.master_key)),
        ids=ids,
        vault=vault,
        settings=settings,
        cursors=cursors,
        passwords=Passwords(),
        tokens=tokens,
        authentication=Authentication(
            tokens, cache, rows, vault.sessions, vault.erasures, limits.session_cache_seconds, now_ms
        ),
        streams=open_desk(settings, stream_log, rows, timelines, serde, grants, cursors, now_ms, pinned),
        buckets=SteadyBuckets(RedisBuckets(redis), MemoryBuckets(), circuit),
        edge=edge_addresses(settings),
        pinned=pinned,
    )


def cassandra_vault(session: CassandraSession, limits: LimitSettings) -> Vault:
    """The vault in Cassandra; `limits` tell how long sessions and reservations live."""
    return Vault(
        usernames=CassandraUsernames(session, limits.username_rest_seconds),
        credentials=CassandraCredentials(session),
        sessions=CassandraSessions(session, limits.refresh_token_seconds),
        reservations=CassandraReservations(session, limits.reservation_seconds),
        uploads=CassandraUploads(session),
        erasures=CassandraErasures(session),
        exports=CassandraExports(session),
        grants=CassandraGrants(session),
    )


def _probes(
    settings: Settings, session: CassandraSession, cache: VersionedCache, log: LogProducer
) -> Mapping[str, Probe]:
    objects = ObjectStore(settings.s3)

    return {
        "cassandra": partial(session.execute, "SELECT release_version FROM system.local"),
        "kafka": partial(log.reach, _PROBE_SECONDS),
        "redis": partial(cache.read, [("readiness", ("none",))]),
        "s3": partial(objects.head, "readiness"),
    }
