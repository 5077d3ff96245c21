"""Filling the timeline of somebody who follows 2,000, against the same reads issued bare with the driver.

The reads of one fill are noted; the opponent sends statements for them, as many at once, and does nothing with the
answers: once a statement for each followee, as one would write it first, and once the very statements of ours, which
read many followees each.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

import uvloop
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.query import tuple_factory

from benchmarks import feed_world
from benchmarks.feed_gateway import Serving, serving, sign_in
from benchmarks.result import Result, paired
from gateway.author_posts import READS_AT_ONCE
from gateway.bootstrap import connect
from gateway.services import Services
from gateway.skeletons import Wanted, feed_skeleton
from photolog.settings import CassandraSettings
from projections.feed import TOP
from projections.followees import followees_key
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.port import RowStore
from projections.tables import KeyTuple, R, Table

_FOLLOWEES = 2_000
_FILLS = 3
Statements = list[tuple[str, tuple[Any, ...]]]


def run(rounds: int = 5) -> list[Result]:
    """Followees a second, of which a fill reads two thousand. The list of them is not cached either."""
    with serving() as gateway, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        viewer = sign_in(gateway, "viewer").account_id
        runner.run(feed_world.seed(gateway.settings, {viewer: feed_world.Follows(_FOLLOWEES)}))
        return _measure(gateway, runner, viewer, rounds)


def _measure(gateway: Serving, runner: asyncio.Runner, viewer: int, rounds: int) -> list[Result]:
    closing = AsyncExitStack()
    services = runner.run(closing.enter_async_context(connect(gateway.settings))).services
    driver = _Driver.connect(gateway.settings.cassandra)
    try:
        alone = runner.run(_reads_of_a_fill(services, viewer, _OneByOne))
        together = runner.run(_reads_of_a_fill(services, viewer, CassandraRows))
        return [
            paired(
                name,
                "followees/s",
                lambda: runner.run(_fills(services, viewer)) * _FOLLOWEES,
                partial(driver.followees_per_second, reads),
                opponent_name=opponent,
                aim=aim,
                rounds=rounds,
                note=f"{len(reads):,} statements of the opponent, {len(together):,} of ours; {READS_AT_ONCE} at once",
            )
            for name, opponent, reads, aim in (
                (f"cold fill, {_FOLLOWEES:,} followees", "the same reads bare with the driver", alone, 0.7),
                ("cold fill, statement by statement", "the very same statements bare", together, None),
            )
        ]
    finally:
        driver.close()
        runner.run(closing.aclose())


async def _fills(services: Services, viewer: int) -> float:
    started = perf_counter()
    for _ in range(_FILLS):
        await _fill(services, viewer)
    return _FILLS / (perf_counter() - started)


async def _fill(services: Services, viewer: int) -> None:
    await services.timelines.drop(viewer)
    await services.cache.drop([followees_key(viewer)])
    skeleton = await feed_skeleton(services, Wanted(viewer, TOP, 20, 20, math.inf))
    if len(skeleton.stretch.entries) != 40 or skeleton.beyond is not None:
        raise RuntimeError("the fill is not complete")


async def _reads_of_a_fill(services: Services, viewer: int, rows: Callable[[Any], RowStore]) -> Statements:
    """What a fill asks of Cassandra through such rows."""
    noting = _Noting(services.rows)
    await _fill(replace(services, rows=rows(noting)), viewer)
    return noting.reads


class _OneByOne(CassandraRows):
    """Rows that are read a partition at a time."""

    async def scan_partitions(self, table: Table[R], partitions: Sequence[KeyTuple], *, limit: int) -> list[list[R]]:
        return [await self.scan(table, partition, limit=limit) for partition in partitions]


class _Noting:
    """A session that remembers what it was asked."""

    def __init__(self, rows: Any) -> None:
        self._session = rows._session
        self.reads: Statements = []

    async def execute(self, cql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        self.reads.append((cql, tuple(parameters)))
        answer: list[Any] = await self._session.execute(cql, parameters)
        return answer

    async def execute_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
        return [await self.execute(*statement) for statement in statements]

    async def write_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        raise NotImplementedError("a fill writes nothing")

    def pages(self, cql: str) -> AsyncIterator[list[Any]]:
        raise NotImplementedError("a fill reads no whole table")


@dataclass(frozen=True, slots=True)
class _Driver:
    """The driver as its manual has it, with its cheapest rows."""

    session: Any
    close: Callable[[], None]

    @classmethod
    def connect(cls, settings: CassandraSettings) -> "_Driver":
        policy = TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.local_datacenter))
        profile = ExecutionProfile(load_balancing_policy=policy, request_timeout=30, row_factory=tuple_factory)
        cluster = Cluster(
            settings.hosts,
            port=settings.port,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            protocol_version=5,
        )
        return cls(cluster.connect(settings.keyspace), cluster.shutdown)

    def followees_per_second(self, reads: Statements) -> float:
        prepared = {cql: self.session.prepare(cql) for cql in dict.fromkeys(cql for cql, _ in reads)}
        statements = [(prepared[cql], parameters) for cql, parameters in reads]
        started = perf_counter()
        for _ in range(_FILLS):
            execute_concurrent(self.session, statements, concurrency=READS_AT_ONCE, raise_on_first_error=True)
        return _FILLS * _FOLLOWEES / (perf_counter() - started)
