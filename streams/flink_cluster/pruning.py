"""Removes what earlier runs of a job left behind.

Flink keeps a job's last checkpoint when the job ends, so that the next run may go on from it. Each run has a folder of
its own, and nothing in Flink ever removes one.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog

from photolog.errors import PhotologError
from photolog.settings import Settings
from streams.flink_cluster.rest import FlinkRest
from streams.flink_cluster.states import Entry, entries, job_uri, remove, whole_states

QUIET_SECONDS = 3_600.0
"""A run that wrote something within this may be another cluster's, and is left."""
_EVERY_SECONDS = 600.0
logger = structlog.get_logger(__name__)


async def prune(settings: Settings, job: str, running: str, now: float, quiet_seconds: float = QUIET_SECONDS) -> int:
    """Remove checkpoints of a job's earlier runs, but for the newest of them, which is kept in case of need.

    Nothing is removed until the run of now has a whole checkpoint: until then it goes on from one of before. Savepoints
    are kept, as somebody asked for them.

    Args:
        settings: where states are.
        job: its name.
        running: the id of its run on the cluster.
        now: Unix seconds.
        quiet_seconds: what wrote something since then is left.

    Returns:
        How many files were removed.

    Raises:
        SettingsError: no place for states is set.
        StoreUnavailable: the bucket does not answer.
    """
    checkpoints = f"{job_uri(settings, job)}/checkpoints/"
    found = [entry for entry in await entries(settings, job) if entry.uri.startswith(checkpoints)]
    # The newest first, so the first run that is not this one is the newest of before.
    kept = list(dict.fromkeys(_run(state.uri, checkpoints) for state in whole_states(found)))
    if running not in kept:
        return 0
    spared = {running, *[run for run in kept if run != running][:1]}
    runs: dict[str, list[Entry]] = {}
    for entry in found:
        runs.setdefault(_run(entry.uri, checkpoints), []).append(entry)
    gone = [
        entry.uri
        for run, files in runs.items()
        if run not in spared and max(one.written for one in files) < now - quiet_seconds
        for entry in _metadata_first(files)
    ]
    await remove(settings, gone)
    if gone:
        logger.info("checkpoints-removed", job=job, files=len(gone))
    return len(gone)


async def keep_pruning(settings: Settings, rest: FlinkRest, jobs: Sequence[str]) -> None:
    """Prune every job that runs, again and again.

    Args:
        settings: where states are.
        rest: the cluster.
        jobs: names of jobs.
    """
    while True:
        try:
            for job in await rest.jobs():
                if job.name in jobs and job.is_up:
                    await prune(settings, job.name, job.job_id, time.time())
        except PhotologError as error:
            logger.warning("checkpoints-not-removed", cause=str(error))
        await asyncio.sleep(_EVERY_SECONDS)


def _run(uri: str, checkpoints: str) -> str:
    return uri.removeprefix(checkpoints).partition("/")[0]


def _metadata_first(files: Sequence[Entry]) -> Sequence[Entry]:
    """A state that lost any file must not look whole."""
    return sorted(files, key=lambda entry: not entry.uri.endswith("/_metadata"))
