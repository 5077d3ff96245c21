"""`photolog leaving-worker`: erases accounts and builds exports; one is enough, several do no harm."""

import asyncio

from cli.foreground import run_in_foreground
from leaving.bootstrap import connect
from leaving.resources import LeavingResources
from leaving.worker import LeavingWorker
from photolog.library_logs import quieten
from photolog.settings import load_settings
from photolog.telemetry import configure_logging


def leaving_worker() -> None:
    """Erase the accounts that left and build the exports that were asked for, in the foreground.

    Ending it in any way loses nothing: each erasure goes on where it was, and an export is begun anew.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "leaving-worker")
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, connect, _work))


async def _work(resources: LeavingResources, stop: asyncio.Event, ready: asyncio.Event) -> None:
    ready.set()
    await LeavingWorker(resources).run(stop)
