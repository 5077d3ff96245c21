"""`photolog leaving-worker`: erases accounts and builds exports; one is enough, several do no harm."""

import asyncio
import os
import signal
import sys

import structlog

from leaving.bootstrap import connect
from leaving.worker import LeavingWorker
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging, serve_metrics_when

logger = structlog.get_logger(__name__)


def leaving_worker() -> None:
    """Erase the accounts that left and build the exports that were asked for, in the foreground.

    Ending it in any way loses nothing: each erasure goes on where it was, and an export is begun anew.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "leaving-worker")
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(serve_metrics_when(ready, settings))
    try:
        async with connect(settings) as resources:
            ready.set()
            await LeavingWorker(resources).run(stop)
    # Whatever it was: a new process begins where the erasures are. Threads of libraries must not keep this one alive.
    except Exception as error:
        logger.exception("worker-ended", error=repr(error))
        sys.stderr.flush()
        os._exit(1)
    finally:
        serving.cancel()
