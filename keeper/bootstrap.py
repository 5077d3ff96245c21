"""Wires a keeper: engines connected, the ports around them, in one place."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.deadlines import command_seconds_max
from gateway.read_models import READ_MODELS
from gateway.waiting import PositionWaiter
from keeper.abandoned import AbandonedUploads
from keeper.read_models import StoredReadModels
from keeper.reader import DelayedReader
from keeper.resources import KeeperResources
from keeper.rules import Rule
from keeper.worker import Keeper, rules_of
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.log.ends import KafkaEnds
from photolog.log.producer import LogProducer
from photolog.media.files import MediaFiles
from photolog.settings import Settings
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_pointers import CassandraPointers
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers
from schemas.registry import load_serde
from schemas.topics import POSTS, STORIES
from transcode.contents.cassandra import CassandraContents
from transcode.contents.holding import Contents
from transcode.intake import Intake

_BUCKET_THREADS = 24
_MODEL_WAIT_MS = 10_000
_EDGE_SECONDS = 12.0  # no answer of the edge takes longer to begin
_SLACK_SECONDS = 5.0  # what was given up may still be on its way to the broker, and an end is known a moment late


def settle_seconds(settings: Settings) -> float:
    """After so long no command that read a row before reaches the log any more."""
    return command_seconds_max(settings) + _SLACK_SECONDS


def reading_seconds(settings: Settings) -> float:
    """After so long nobody reads a file by a row of before. Without an edge addresses of the bucket are signed."""
    signed = 0 if settings.edge.public_url else max(settings.s3.view_seconds, settings.s3.view_private_seconds)
    return signed + _EDGE_SECONDS


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Keeper]:
    """Connect everything, and close it again at the end.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    # Asking the bucket waits in threads; asyncio's own are as many as there are cores, and four.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_BUCKET_THREADS, "bucket"))
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        log = LogProducer(settings.kafka)
        await log.start()
        closing.push_async_callback(log.close)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        rows = GenerationRows(CassandraRows(session), pinned.selected)
        folded = [model for model in READ_MODELS if not model.in_timelines]
        waiter = PositionWaiter(rows, rows, _MODEL_WAIT_MS, folded, pinned.selected)
        closing.push_async_callback(waiter.close)
        serde, objects = await asyncio.to_thread(load_serde, settings.registry), ObjectStore(settings.s3)
        resources = KeeperResources(
            rows=rows,
            models=StoredReadModels(rows, waiter, pinned),
            log=log,
            holders_ends=KafkaEnds(settings.kafka, (POSTS.name, STORIES.name)),
            serde=serde,
            objects=objects,
            files=MediaFiles(objects, Contents(CassandraContents(session), objects)),
            settle_seconds=settle_seconds(settings),
            reading_seconds=reading_seconds(settings),
        )

        def reader(rule: Rule) -> DelayedReader:
            return DelayedReader(rule, Intake(settings.kafka, rule.group, rule.topic), serde)

        yield Keeper(rules_of(resources, settings.media), reader, AbandonedUploads(objects))
