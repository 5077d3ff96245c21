"""Wires a backup and a restore to the engines that the settings name."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from backup.fingerprints import fingerprints
from backup.kafka_topics import KafkaTopics
from backup.marker import CassandraMarkers
from backup.refilling import Refilling
from backup.restoring import Targets
from backup.schema_ids import HttpRegistry
from backup.shelf import Shelf
from backup.tables import CassandraTables
from backup.taking import Sources
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.engines.redis_client import connect_redis
from photolog.ids import now_ms
from photolog.log.bulk import BulkProducer
from photolog.log.growths import CassandraGrowths
from photolog.log.slices import SliceReader
from photolog.settings import Settings


@dataclass(frozen=True, slots=True)
class Engines:
    """What both stand on."""

    settings: Settings
    reader: SliceReader
    topics: KafkaTopics
    session: CassandraSession
    tables: CassandraTables


@asynccontextmanager
async def engines(settings: Settings) -> AsyncIterator[Engines]:
    """Connect, and close again at the end. Raises StoreUnavailable."""
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        reader = await closing.enter_async_context(SliceReader(settings.kafka))
        tables = CassandraTables(session, settings.cassandra.keyspace, now_ms)
        yield Engines(settings, reader, KafkaTopics(settings.kafka), session, tables)


def sources(connected: Engines) -> Sources:
    """What a backup is made from."""
    return Sources(
        reader=connected.reader,
        topics=connected.topics,
        ledger=CassandraGrowths(connected.session),
        registry=HttpRegistry(connected.settings.registry),
        tables=connected.tables,
        keys=fingerprints(connected.settings.secrets),
    )


@asynccontextmanager
async def targets(
    connected: Engines, shelf: Shelf, report: Callable[[int], None], *, media: bool
) -> AsyncIterator[Targets]:
    """What a restore writes into.

    Args:
        connected: the engines.
        shelf: the backup.
        report: is told how many records more are restored, or looked at.
        media: whether photographs are put back, too.
    """
    settings = connected.settings
    redis = connect_redis(settings.redis)
    try:
        yield Targets(
            topics=connected.topics,
            tables=connected.tables,
            registry=HttpRegistry(settings.registry),
            redis=redis,
            markers=CassandraMarkers(connected.session),
            refilling=Refilling(shelf, connected.topics, connected.reader, BulkProducer(settings.kafka), report),
            bucket=ObjectStore(settings.s3) if media else None,
            secrets=settings.secrets,
        )
    finally:
        await redis.aclose()
