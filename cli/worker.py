"""`photolog worker`: one Faust worker process; start as many as there are cores to share the partitions."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.foreground import run_in_foreground
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from streams.bootstrap import Connected, connect_generations
from streams.faust_jobs.worker import FaustWorker
from streams.followers import Followers
from streams.jobs import live_steps


def worker(
    index: Annotated[int, typer.Option(help="Tells this worker from the others in logs and folders.", min=0)] = 0,
) -> None:
    """Run one Faust worker in the foreground.

    Workers share the partitions. SIGTERM ends one within seconds; one that cannot go on ends with exit status 1, and
    is to be started again: nothing is lost by ending it in any way.
    """
    settings = load_settings()
    configure_logging(settings.log_level, f"worker-{index}")
    quieten("aiokafka", "faust", "mode", "httpx", "cassandra", "librdkafka")
    asyncio.run(run_in_foreground(settings, connect_generations, partial(_work, settings, index)))


async def _work(
    settings: Settings, index: int, connected: Connected, stop: asyncio.Event, ready: asyncio.Event
) -> None:
    # Faust insists on a folder; nothing in it outlives the process.
    with tempfile.TemporaryDirectory(prefix=f"photolog-worker-{index}-") as folder:
        steps, followers = live_steps(connected.live), Followers(settings.kafka, connected.pinned, connected.at)
        await FaustWorker(settings.kafka, steps, Path(folder), followers=followers).run(stop, ready)
