"""A Flink cluster beside a benchmark's engines, and how fast a job reads."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.java import require_java
from infra.local.stack import Stack
from photolog.settings import Settings
from streams.flink_cluster.rest import FlinkRest
from streams.flink_cluster.submission import submit

_POLL_SECONDS = 0.1
_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class BenchCluster:
    """A cluster that is up.

    Args:
        rest: its client.
        url: of its REST interface.
        settings: of jobs on it.
    """

    rest: FlinkRest
    url: str
    settings: Settings

    async def start(self, *jobs: str) -> None:
        """Hand jobs over, from no state, and wait until they run."""
        await submit(self.settings, dict.fromkeys(jobs), require_java().resolve().parents[1])
        deadline = time.monotonic() + _SECONDS_MAX
        while not await self._names(up=True) >= set(jobs):
            assert time.monotonic() < deadline, f"{jobs} do not run"
            await asyncio.sleep(_POLL_SECONDS)

    async def cancel(self, job: str) -> None:
        """End a job and wait until it is gone."""
        await self.rest.cancel((await self.rest.job(job)).job_id)
        deadline = time.monotonic() + _SECONDS_MAX
        while job in await self._names():
            assert time.monotonic() < deadline, f"{job} does not end"
            await asyncio.sleep(_POLL_SECONDS)

    async def _names(self, *, up: bool = False) -> set[str]:
        return {job.name for job in await self.rest.jobs() if job.is_up or not up}


@asynccontextmanager
async def bench_cluster(engines: Stack, settings: Settings, folder: Path) -> AsyncIterator[BenchCluster]:
    """A cluster for as long as the context lasts.

    Args:
        engines: a stack of engines, and up.
        settings: of its processes.
        folder: where the cluster and its jobs keep what they write.
    """
    cluster = Stack.flink_over(engines, folder / "cluster")
    await asyncio.to_thread(cluster.start)
    try:
        assert settings.flink.rest_url is not None
        async with FlinkRest(settings.flink.rest_url) as rest:
            yield BenchCluster(rest, settings.flink.rest_url, settings)
    finally:
        await asyncio.to_thread(cluster.stop)
