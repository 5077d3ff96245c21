"""Wires a transcode worker: engines connected, the ports around them, in one place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.engines.redis_client import connect_redis
from photolog.log.producer import LogProducer
from photolog.media.content_keys import content_key
from photolog.settings import Settings
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_pointers import CassandraPointers
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers
from projections.stores.port import RowStore
from projections.tables import R, RowKey
from schemas.registry import load_serde
from schemas.serde import Serde
from transcode.contents.cassandra import CassandraContents
from transcode.contents.holding import Contents
from transcode.fingerprints.bloom import BloomShape
from transcode.fingerprints.filling import keep_filled
from transcode.fingerprints.following import FollowedIndex
from transcode.fingerprints.seen_digests import SeenDigests
from transcode.near import NearFiles
from transcode.sharing import Sharing

# Reading and writing the bucket waits in threads; asyncio's own are too few for seven variants a photograph.
_BUCKET_THREADS = 24
_SEEN_ERROR_RATE = 0.001


class FreshRows:
    """Rows of the generation that is live now.

    Args:
        rows: the read models.
        pinned: which generation is.
    """

    def __init__(self, rows: RowStore, pinned: PinnedPointers) -> None:
        self._rows = rows
        self._pinned = pinned

    async def get(self, key: RowKey[R]) -> R | None:
        """See `RowStore.get`."""
        await self._pinned.pin_fresh()
        return await self._rows.get(key)

    async def get_many(self, keys: Sequence[RowKey[R]]) -> list[R | None]:
        """See `RowStore.get_many`."""
        await self._pinned.pin_fresh()
        return await self._rows.get_many(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscodeResources:
    """The ports of one transcode worker.

    Args:
        log: takes answers.
        serde: the codec.
        objects: the bucket.
        rows: what has been answered.
        sharing: finds what others have uploaded as well.
        near: finds what is nearly the same; None where nothing is shared.
        upkeep: what runs beside the worker for as long as it does.
    """

    log: LogProducer
    serde: Serde
    objects: ObjectStore
    rows: FreshRows
    sharing: Sharing
    near: NearFiles | None
    upkeep: Sequence[Callable[[], Coroutine[Any, Any, None]]]


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[TranscodeResources]:
    """Connect everything, and close it again at the end.

    Files are shared only where an edge serves them: an address in the bucket would tell whose they were first.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_BUCKET_THREADS, "bucket"))
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        log = LogProducer(settings.kafka)
        await log.start()
        closing.push_async_callback(log.close)
        serde = await asyncio.to_thread(load_serde, settings.registry)
        objects, key = ObjectStore(settings.s3), content_key(settings)
        rows = FreshRows(GenerationRows(CassandraRows(session), pinned.selected), pinned)
        wire = partial(TranscodeResources, log=log, serde=serde, objects=objects, rows=rows)
        if settings.edge.public_url is None:
            yield wire(sharing=Sharing(None, key), near=None, upkeep=())
            return
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        store = CassandraContents(session)
        seen = SeenDigests(redis, BloomShape.of(settings.transcode.seen_capacity, _SEEN_ERROR_RATE))
        contents = Contents(store, objects, seen)
        index = FollowedIndex(settings.kafka, serde, settings.transcode.index_path)
        closing.callback(index.save)
        near = NearFiles(index.photographs, index.videos, rows, objects, contents)
        upkeep = (index.run, partial(keep_filled, seen, store))
        yield wire(sharing=Sharing(contents, key), near=near, upkeep=upkeep)
