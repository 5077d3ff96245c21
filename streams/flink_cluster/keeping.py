"""Keeps the jobs running: whatever the cluster has lost is handed to it again, to go on from its newest state.

A cluster whose TaskManager dies brings its jobs back by itself. One whose JobManager dies, or which is a new one,
knows nothing of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from prometheus_client import Gauge

from photolog.errors import PhotologError
from streams.flink_cluster.rest import FlinkRest, RunningJob

UP = Gauge("photolog_flink_job_up", "1 while every part of a job runs", ["job"])
RESTARTS = Gauge("photolog_flink_job_restarts", "How often a job went on from a checkpoint", ["job"])
CHECKPOINT_MS = Gauge("photolog_flink_checkpoint_ms", "When the newest checkpoint was triggered, Unix ms", ["job"])
_LOOK_SECONDS = 1.0
_PAUSE_LOOKS_MAX = 60
logger = structlog.get_logger(__name__)
Submit = Callable[[Mapping[str, str | None]], Awaitable[None]]


class JobKeeper:
    """Looks at the cluster and mends what is missing.

    Args:
        rest: the cluster.
        jobs: names of the jobs that are to run.
        newest: the newest state of a job; None where it has none.
        submit: hands jobs over.
        grace_seconds: how long a job that was there may be gone, about.
    """

    def __init__(
        self,
        rest: FlinkRest,
        jobs: Sequence[str],
        newest: Callable[[str], Awaitable[str | None]],
        submit: Submit,
        grace_seconds: int = 30,
    ) -> None:
        self._grace_looks = round(grace_seconds / _LOOK_SECONDS)
        self._rest = rest
        self._jobs = jobs
        self._newest = newest
        self._submit = submit
        self._wait = dict.fromkeys(jobs, 0)
        self._pause = dict.fromkeys(jobs, 1)

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Keep the jobs until `stop`; sets `ready` once all of them run."""
        while not stop.is_set():
            try:
                if await self.look():
                    ready.set()
            except PhotologError as error:
                logger.warning("flink-away", cause=str(error))
            try:
                await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
            except TimeoutError:
                continue

    async def look(self) -> bool:
        """Look once; whether every job runs.

        A job that was there and is gone is given some time first: somebody may be about to restore it.

        Raises:
            PhotologError: the cluster does not answer, or did not take a job; try again.
        """
        running = await self._rest.jobs()
        found = {job.name: job for job in sorted(running, key=lambda job: job.started_ms, reverse=True)}
        await self._end_doubles(running, found)
        missing = [name for name in self._jobs if name not in found]
        for name in self._jobs:
            UP.labels(name).set(name in found and found[name].is_up)
            if name in found:
                await self._show(found[name])
                self._wait[name] = self._grace_looks
                if found[name].is_up:
                    self._pause[name] = 1
        due = []
        for name in missing:
            self._wait[name] -= 1
            if self._wait[name] < 0:
                due.append(name)
        if due:
            await self._bring(due)
        return all(name in found and found[name].is_up for name in self._jobs)

    async def _bring(self, names: Sequence[str]) -> None:
        for name in names:
            # One that does not stay up is tried again, later each time.
            self._pause[name] = min(2 * self._pause[name], _PAUSE_LOOKS_MAX)
            self._wait[name] = self._pause[name]
        wanted = {name: await self._newest(name) for name in names}
        logger.info("jobs-missing", jobs={name: state or "anew" for name, state in wanted.items()})
        await self._submit(wanted)

    async def _end_doubles(self, running: Sequence[RunningJob], kept: Mapping[str, RunningJob]) -> None:
        """Two of the same name compute the same, twice; the one that began first is kept."""
        for job in running:
            if job.name in self._jobs and job.job_id != kept[job.name].job_id:
                logger.warning("job-twice", job=job.name, ended=job.job_id)
                await self._rest.cancel(job.job_id)

    async def _show(self, job: RunningJob) -> None:
        checkpoints = await self._rest.checkpoints(job.job_id)
        RESTARTS.labels(job.name).set(checkpoints.restarts)
        CHECKPOINT_MS.labels(job.name).set(checkpoints.latest_ms)
