"""Wires exports and queries: the log, the bucket, Cassandra, which remembers how far exports are, and the rows."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from analytics.asking import LogEnds
from analytics.audience import Audience, holder_of, nobody_in_particular
from analytics.exporting import Ports
from analytics.positions import CassandraExportPositions
from gateway.public_events import PublicView
from gateway.streams.desk import pseudonym_key
from gateway.streams.grants import GrantKeeper
from gateway.vault.grants import CassandraGrants
from gateway.waiting import PositionWaiter
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.engines.redis_client import connect_redis
from photolog.ids import now_ms
from photolog.log.growths import CassandraGrowths
from photolog.log.slices import SliceReader
from photolog.settings import Settings, key_bytes
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.generation_pointers import CassandraPointers
from projections.stores.generation_rows import GenerationRows
from projections.stores.pinning import PinnedPointers
from projections.stores.redis_feeds import RedisTimelines
from projections.stores.remembered_rows import RememberedRows
from schemas.registry import load_serde
from streams.decoding import Decoder

_REMEMBERED_ROWS = 200_000
_WAIT_MS = 30_000


class NoKeys:
    """The keys of somebody who opens nothing."""

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        """None is fetched."""

    def key_of(self, subject_id: int) -> bytes | None:
        """None is there."""
        return None


@dataclass(frozen=True, slots=True)
class Looking:
    """What a query looks with.

    Args:
        ports: the log and the bucket.
        view: tells what is public.
        ends: where topics end now.
        audience: who asks.
    """

    ports: Ports
    view: PublicView
    ends: LogEnds
    audience: Audience


@asynccontextmanager
async def connect_export(settings: Settings) -> AsyncIterator[Ports]:
    """Connect what an export works with, and close it again at the end.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        yield await _ports(settings, session, closing)


@asynccontextmanager
async def connect_query(settings: Settings, grant: str | None) -> AsyncIterator[Looking]:
    """Connect what a query works with, and close it again at the end.

    Args:
        settings: the platform's.
        grant: the id or token of a grant; None for nobody in particular.

    Raises:
        StoreUnavailable: as `connect_export`.
        NotFound, Unauthenticated: as `analytics.audience.holder_of`.
    """
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        audience = nobody_in_particular() if grant is None else await _holder(settings, session, grant)
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        pinned = PinnedPointers(CassandraPointers(session))
        closing.push_async_callback(pinned.close)
        await pinned.pin_fresh()
        rows = GenerationRows(CassandraRows(session), pinned.selected)
        # The feed's positions, which no query waits for.
        timelines = RedisTimelines(redis, settings.limits.timeline_entries, settings.limits.timeline_seconds * 1_000)
        waiter = PositionWaiter(rows, timelines, _WAIT_MS, selected=pinned.selected)
        closing.push_async_callback(waiter.close)
        ports = await _ports(settings, session, closing)

        async def ends(topics: Collection[str]) -> dict[tuple[str, int], int]:
            return {one.place: one.end or 0 for topic in topics for one in await ports.reader.whole(topic)}

        # The whole query sees one set of generations, and rows as they were when it first read them.
        remembered = RememberedRows(rows, fresh=False, rows_max=_REMEMBERED_ROWS)
        yield Looking(ports, PublicView(remembered, waiter, ends, _pinned, now_ms), ends, audience)


async def _pinned() -> None:
    """One set of generations is pinned already."""


async def _holder(settings: Settings, session: CassandraSession, grant: str) -> Audience:
    grants = CassandraGrants(session)
    keeper = GrantKeeper(grants, key_bytes(settings.secrets.access_token_key), now_ms)
    return await holder_of(grant, grants, keeper, pseudonym_key(settings), now_ms)


async def _ports(settings: Settings, session: CassandraSession, closing: AsyncExitStack) -> Ports:
    return Ports(
        reader=await closing.enter_async_context(SliceReader(settings.kafka)),
        growths=CassandraGrowths(session),
        positions=CassandraExportPositions(session),
        files=ObjectStore(settings.s3),
        decoder=Decoder(await asyncio.to_thread(load_serde, settings.registry), NoKeys()),
    )
