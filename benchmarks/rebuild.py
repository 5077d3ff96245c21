"""Folding a topic again into Cassandra, against the driver that writes the same rows bare; and comparing what came of
it, against reading both generations' rows once.

A topic of likes lies ready. Ours reads it, decodes it, folds it and writes memberships, lists and counts into a new
generation, one process; the opponent has the very rows at hand and writes them with the driver's own concurrency.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec
import uvloop
from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from benchmarks.engines import migrated_engines
from benchmarks.feed_gateway import stack_settings
from benchmarks.records import record_of
from benchmarks.result import Result, paired
from photolog.engines.cassandra_session import cluster_of
from photolog.ids import SnowflakeSource
from photolog.settings import Settings
from projections.catalogue import TABLES_OF
from projections.generations import generation_table
from projections.packing import ranked_key
from projections.stores.cassandra_ddl import table_ddl
from projections.stores.cassandra_statements import TableStatements
from projections.tables import RowKey
from projections.writes import Positioned, put
from schemas import events as e
from streams.bootstrap import Connected, connect_generations
from streams.generation_admin import AdminPorts, GenerationAdmin
from streams.generation_ports import admin_ports
from streams.rebuilding import Share
from streams.verifying import Verification

_NAME = "likes"
_LIKES = 15_000
_ACTORS = 3_000
_POSTS = 1_000
_UNLIKED = 0.1
_AT_ONCE = 5_000
_CONCURRENCY = 100
_PAGE_ROWS = 5_000


def run(rounds: int = 5) -> list[Result]:
    """Rows a second, written by a rebuild and read by a verification."""
    with migrated_engines("rebuild") as environment, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return _measure(runner, stack_settings(environment), rounds)


def _measure(runner: asyncio.Runner, settings: Settings, rounds: int) -> list[Result]:
    closing = AsyncExitStack()
    connected = runner.run(closing.enter_async_context(connect_generations(settings)))
    cluster = cluster_of(settings.cassandra)
    session = cluster.connect(settings.cassandra.keyspace)
    try:
        runner.run(_append(connected))
        building = _Building(admin_ports(settings, connected, 0.0))
        bare = _Bare(session, runner.run(building.rows()))
        rebuilt = paired(
            "rebuild, Cassandra",
            "rows/s",
            lambda: bare.count / runner.run(building.seconds()),
            bare.rows_written_per_second,
            opponent_name="the driver writing the same rows bare",
            aim=0.8,
            rounds=rounds,
        )
        note = f"{_LIKES:,} events a rebuild, {rebuilt.ours * _LIKES / bare.count:,.0f} events/s, one process"
        first, second = runner.run(building.two())
        verification = Verification(
            _NAME, building.admin.rows(first), building.admin.rows(second), building.admin.target
        )
        verified = paired(
            "verify",
            "rows/s",
            lambda: runner.run(_verified(verification)),
            lambda: bare.rows_read_per_second((first, second)),
            opponent_name="reading both generations' rows once",
            aim=0.8,
            rounds=rounds,
        )
        return [replace(rebuilt, note=note), verified]
    finally:
        cluster.shutdown()
        runner.run(closing.aclose())


async def _append(connected: Connected) -> None:
    """Likes of some posts by some people, a few of them taken back."""
    drawn, ids, resources = random.Random(7), SnowflakeSource(1_021), connected.live
    actors, posts = ([ids.next() for _ in range(count)] for count in (_ACTORS, _POSTS))
    events: list[e.PostLiked | e.PostUnliked] = []
    while len(events) < _LIKES:
        actor_id, post_id = drawn.choice(actors), drawn.choice(posts)
        events.append(e.PostLiked(actor_id=actor_id, post_id=post_id))
        if drawn.random() < _UNLIKED:
            events.append(e.PostUnliked(actor_id=actor_id, post_id=post_id))
    for start in range(0, len(events), _AT_ONCE):
        some = events[start : start + _AT_ONCE]
        await resources.log.append_all([record_of(resources.serde, event) for event in some])


class _Building:
    """Generations of likes, made one after the other."""

    def __init__(self, ports: AdminPorts) -> None:
        self.admin = GenerationAdmin(ports, _NAME)

    async def build(self) -> int:
        """Fold everything into a new generation; its number."""
        generations = await self.admin.prepare()
        await self.admin.fold(generations, Share(), _unheard)
        return generations.building or 0

    async def seconds(self) -> float:
        """How long folding takes, without what comes before and after."""
        await self.admin.prune()
        generations = await self.admin.prepare()
        began = time.perf_counter()
        await self.admin.fold(generations, Share(), _unheard)
        return time.perf_counter() - began

    async def rows(self) -> Mapping[str, list[Positioned]]:
        """Every row of a generation, with the place that it came from."""
        rows, found = self.admin.rows(await self.build()), {}
        for table in TABLES_OF[_NAME]:
            pages = rows.ranked_pages(table)
            keys = [RowKey(table, ranked_key(table, ranked)) async for page in pages for ranked in page]
            found[table.name] = [
                Positioned(put(table, kept.row), kept.offset, kept.event_ids)
                for kept in (await rows.load(keys)).values()
                if kept.row is not None
            ]
        return found

    async def two(self) -> tuple[int, int]:
        """Two generations that are the same."""
        await self.admin.prune()
        number = await self.build()
        ports = self.admin.ports
        other = number + 1_000
        await asyncio.gather(*(ports.create(generation_table(table, other)) for table in TABLES_OF[_NAME]))
        generations = await self.admin.generations()
        await self.admin.fold(msgspec.structs.replace(generations, building=other), Share(), _unheard)
        return number, other


async def _unheard(records: int) -> None:
    pass


async def _verified(verification: Verification) -> float:
    began = time.perf_counter()
    verdict = await verification.verdict()
    if not verdict.same:
        raise RuntimeError(f"the generations differ: {verdict.shown}")
    return (verdict.live.rows + verdict.other.rows) / (time.perf_counter() - began)


class _Bare:
    """The driver, with nothing around it.

    Args:
        session: its session.
        rows: what to write, by table.
    """

    def __init__(self, session: Session, rows: Mapping[str, Sequence[Positioned]]) -> None:
        self._session = session
        self._rows = rows
        self._round = 0
        self.count = sum(map(len, rows.values()))

    def rows_written_per_second(self) -> float:
        """Write all rows into tables of the same shape that are empty."""
        self._round += 1
        work = []
        for table in TABLES_OF[_NAME]:
            made = replace(table, name=f"bare_{table.name}_{self._round}")
            self._session.execute(table_ddl(made))
            statements = TableStatements(made)
            written = [statements.write(row) for row in self._rows[table.name]]
            prepared = self._session.prepare(written[0][0])
            prepared.is_idempotent = True
            work.append((prepared, [values for _, values in written]))
        began = time.perf_counter()
        for prepared, values in work:
            execute_concurrent_with_args(self._session, prepared, values, _CONCURRENCY)
        return self.count / (time.perf_counter() - began)

    def rows_read_per_second(self, numbers: Sequence[int]) -> float:
        """Read all rows of these generations."""
        began, count = time.perf_counter(), 0
        for number in numbers:
            for table in TABLES_OF[_NAME]:
                prepared = self._session.prepare(TableStatements(generation_table(table, number)).everything())
                prepared.fetch_size = _PAGE_ROWS
                count += sum(1 for _ in self._session.execute(prepared))
        return count / (time.perf_counter() - began)
