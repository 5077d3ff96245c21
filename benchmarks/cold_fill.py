"""Filling the timeline of somebody who follows 2,000, against the very same reads issued bare with the driver.

The reads of one fill are noted; the opponent sends the same statements with the same parameters, as many at once, and
does nothing with the answers.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
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

_FOLLOWEES = 2_000
_FILLS = 3
Statements = list[tuple[str, tuple[Any, ...]]]


def run(rounds: int = 5) -> list[Result]:
    """Reads a second, of which a fill is two thousand. The list of followees is not cached either."""
    with serving() as gateway, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        viewer = sign_in(gateway, "viewer").account_id
        runner.run(feed_world.seed(gateway.settings, {viewer: feed_world.Follows(_FOLLOWEES)}))
        return [_measure(gateway, runner, viewer, rounds)]


def _measure(gateway: Serving, runner: asyncio.Runner, viewer: int, rounds: int) -> Result:
    closing = AsyncExitStack()
    services = runner.run(closing.enter_async_context(connect(gateway.settings))).services
    driver = _Driver.connect(gateway.settings.cassandra)
    try:
        reads = runner.run(_reads_of_a_fill(services, viewer))
        return paired(
            f"cold fill, {_FOLLOWEES:,} followees",
            "reads/s",
            lambda: runner.run(_fills(services, viewer)) * len(reads),
            lambda: driver.fills(reads) * len(reads),
            opponent_name="the same reads bare with the driver",
            aim=0.7,
            rounds=rounds,
            note=f"{len(reads):,} statements a fill, {READS_AT_ONCE} at once",
        )
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


async def _reads_of_a_fill(services: Services, viewer: int) -> Statements:
    """What a fill asks of Cassandra."""
    noting = _Noting(services.rows)
    await _fill(replace(services, rows=CassandraRows(noting)), viewer)
    return noting.reads


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

    def fills(self, reads: Statements) -> float:
        prepared = {cql: self.session.prepare(cql) for cql in dict.fromkeys(cql for cql, _ in reads)}
        statements = [(prepared[cql], parameters) for cql, parameters in reads]
        started = perf_counter()
        for _ in range(_FILLS):
            execute_concurrent(self.session, statements, concurrency=READS_AT_ONCE, raise_on_first_error=True)
        return _FILLS / (perf_counter() - started)
