"""`photolog flink-worker`: keeps the jobs over windows of event time running, and tells them time; one is enough."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cli.foreground import run_in_foreground
from infra.local.java import require_java
from photolog.errors import SettingsError
from photolog.ids import now_ms
from photolog.library_logs import quieten
from photolog.log.bulk import BulkProducer
from photolog.log.ends import read_current_ends
from photolog.log.group_offsets import GroupLag
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from photolog.worker_metrics import keep_showing_lags
from schemas.serde import SCHEMAS
from streams.bootstrap import connect
from streams.flink_cluster.keeping import JobKeeper
from streams.flink_cluster.pruning import keep_pruning
from streams.flink_cluster.rest import FlinkRest
from streams.flink_cluster.states import states
from streams.flink_cluster.submission import submit
from streams.flink_cluster.ticking import TickPorts, keep_ticking
from streams.flink_jobs.catalogue import JOBS, group_of

NAME = "flink"


@dataclass(frozen=True, slots=True)
class _Connected:
    keeper: JobKeeper
    lag: GroupLag
    ticks: TickPorts
    settings: Settings
    rest: FlinkRest


def flink_worker() -> None:
    """Keep the jobs of a Flink cluster running, in the foreground, and tell them that time goes on.

    A job that the cluster lost is handed to it again and goes on from its newest checkpoint or savepoint; what runs of
    before left behind is removed. Ending this ends no job; windows close as long as every partition has something to
    tell.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "flink-worker")
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, _connect, _work))


@asynccontextmanager
async def _connect(settings: Settings) -> AsyncIterator[_Connected]:
    if settings.flink.rest_url is None:
        raise SettingsError("PHOTOLOG_FLINK__REST_URL is needed for jobs")

    async def newest(job: str) -> str | None:
        found = await states(settings, job)
        return found[0].uri if found else None

    java_home = require_java().resolve().parents[1]
    ends = read_current_ends(settings.kafka)
    async with connect(settings) as resources, FlinkRest(settings.flink.rest_url) as rest:
        ticks = TickPorts(
            ends=ends,
            positions=resources.rows.positions,
            append=BulkProducer(settings.kafka).append,
            serde=resources.serde,
            clock_ms=now_ms,
        )
        flink = settings.flink
        keeper = JobKeeper(
            rest, list(JOBS), newest, lambda wanted: submit(settings, wanted, java_home), flink.grace_seconds
        )
        yield _Connected(keeper, GroupLag(settings.kafka), ticks, settings, rest)


async def _work(connected: _Connected, stop: asyncio.Event, ready: asyncio.Event) -> None:
    async def lags() -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = {}
        for job in JOBS.values():
            topics = [SCHEMAS[event].topic.name for event in job.reads]
            found |= await connected.lag.of(group_of(job.name), topics)
        return found

    beside = [
        asyncio.create_task(keep_showing_lags(NAME, lags)),
        asyncio.create_task(keep_ticking(connected.ticks, connected.settings.flink.tick_ms)),
        asyncio.create_task(keep_pruning(connected.settings, connected.rest, list(JOBS))),
    ]
    working = asyncio.create_task(connected.keeper.run(stop, ready))
    try:
        # Whichever ends first: the others end by an error only, and that is this process's.
        done, _ = await asyncio.wait({working, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (working, *beside):
            task.cancel()
