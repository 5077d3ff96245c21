"""Wires an edge: engines connected, ports around them, in one place."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from edge.pictures import Pictures
from edge.purge_log import KafkaPurgeLog
from edge.purger import Purger
from edge.resizing import Resizer
from edge.sources import Bucket, Sources
from gateway.edge_addresses import address_signer
from gateway.queries.health import Probe
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.heap import settle_heap
from photolog.media.caches import connect_caches
from photolog.media.signing import AddressSigner
from photolog.settings import Settings
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_pointers import CassandraPointers
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers, never_rebuilt
from projections.stores.port import RowStore
from schemas.registry import load_serde

_BUCKET_THREADS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeServices:
    """The ports of one edge.

    Args:
        rows: read models.
        bucket: stored files.
        sources: reads whole files.
        pictures: makes pictures.
        signer: reads signatures.
        shared_seconds: how long shared caches may keep what is public.
        pinned: the generations of read models.
    """

    rows: RowStore
    bucket: Bucket
    sources: Sources
    pictures: Pictures
    signer: AddressSigner
    shared_seconds: int
    pinned: PinnedPointers = field(default_factory=never_rebuilt)


@dataclass(frozen=True, slots=True)
class Wired:
    """An edge's services, and how to ask whether its engines answer."""

    services: EdgeServices
    probes: Mapping[str, Probe]


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Wired]:
    """Connect everything, and close it again at the end.

    Raises:
        StoreUnavailable: Cassandra did not answer.
    """
    # Reading the bucket waits in threads; asyncio's own are as many as there are cores, and four.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_BUCKET_THREADS, "bucket"))
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        await pinned.pin_fresh()
        bucket = ObjectStore(settings.s3)
        sources = Sources(bucket)
        resizer = Resizer(settings.edge.resizes or os.cpu_count() or 1, settings.edge.waiting_max)
        closing.callback(resizer.close)
        services = EdgeServices(
            rows=GenerationRows(CassandraRows(session), pinned.selected),
            bucket=bucket,
            sources=sources,
            pictures=Pictures(sources, resizer),
            signer=address_signer(settings),
            shared_seconds=settings.edge.shared_seconds,
            pinned=pinned,
        )
        settle_heap()
        yield Wired(
            services,
            {
                "cassandra": partial(session.execute, "SELECT release_version FROM system.local"),
                "s3": partial(bucket.head, "readiness"),
            },
        )


@asynccontextmanager
async def connect_purger(settings: Settings) -> AsyncIterator[Purger]:
    """Connect what purges, and close it again at the end.

    Raises:
        SettingsError: there are caches, and no secret to show them.
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    edge = settings.edge
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        log = KafkaPurgeLog(settings.kafka, edge.shared_seconds)
        closing.push_async_callback(log.close)
        yield Purger(
            log,
            await closing.enter_async_context(connect_caches(edge)),
            GenerationRows(CassandraRows(session), pinned.selected),
            await asyncio.to_thread(load_serde, settings.registry),
            pinned,
        )
