"""`photolog worker`: one Faust worker process; start as many as there are cores to share the partitions."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer

from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging, serve_metrics_when
from streams.bootstrap import connect
from streams.faust_jobs.worker import FaustWorker
from streams.jobs import live_steps

logger = structlog.get_logger(__name__)


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
    # Faust insists on a folder; nothing in it outlives the process.
    with tempfile.TemporaryDirectory(prefix=f"photolog-worker-{index}-") as folder:
        asyncio.run(_run(settings, Path(folder)))


async def _run(settings: Settings, data_folder: Path) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(serve_metrics_when(ready, settings))
    try:
        async with connect(settings) as resources:
            await FaustWorker(settings.kafka, live_steps(resources), data_folder).run(stop, ready)
    # Whatever it was: a new process begins where the stores are. Threads of libraries must not keep this one alive.
    except Exception as error:
        logger.exception("worker-ended", error=repr(error))
        sys.stderr.flush()
        os._exit(1)
    finally:
        serving.cancel()
