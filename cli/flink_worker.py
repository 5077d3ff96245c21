"""`photolog flink-worker`: keeps the jobs over windows of event time running; one is enough."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from cli.foreground import run_in_foreground
from infra.local.java import require_java
from photolog.errors import SettingsError
from photolog.library_logs import quieten
from photolog.log.group_offsets import GroupLag
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from photolog.worker_metrics import keep_showing_lags
from schemas.serde import SCHEMAS
from streams.flink_cluster.keeping import JobKeeper
from streams.flink_cluster.rest import FlinkRest
from streams.flink_cluster.states import states
from streams.flink_cluster.submission import submit
from streams.flink_jobs.catalogue import JOBS, group_of

NAME = "flink"


def flink_worker() -> None:
    """Keep the jobs of a Flink cluster running, in the foreground.

    A job that the cluster lost is handed to it again and goes on from its newest checkpoint or savepoint. Ending this
    ends no job.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "flink-worker")
    quieten("botocore", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, partial(_connect), _work))


@asynccontextmanager
async def _connect(settings: Settings) -> AsyncIterator[tuple[JobKeeper, GroupLag]]:
    if settings.flink.rest_url is None:
        raise SettingsError("PHOTOLOG_FLINK__REST_URL is needed for jobs")

    async def newest(job: str) -> str | None:
        found = await states(settings, job)
        return found[0].uri if found else None

    java_home = require_java().resolve().parents[1]
    async with FlinkRest(settings.flink.rest_url) as rest:
        keeper = JobKeeper(rest, list(JOBS), newest, lambda wanted: submit(settings, wanted, java_home))
        yield keeper, GroupLag(settings.kafka)


async def _work(connected: tuple[JobKeeper, GroupLag], stop: asyncio.Event, ready: asyncio.Event) -> None:
    keeper, lag = connected

    async def lags() -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = {}
        for job in JOBS.values():
            topics = [SCHEMAS[event].topic.name for event in job.reads]
            found |= await lag.of(group_of(job.name), topics)
        return found

    showing = asyncio.create_task(keep_showing_lags(NAME, lags))
    try:
        await keeper.run(stop, ready)
    finally:
        showing.cancel()
