"""`photolog purge-worker`: tells the caches before the edge what to drop; one is enough, several do no harm."""

import asyncio

from cli.foreground import run_in_foreground
from edge.bootstrap import connect_purger
from edge.purger import Purger
from photolog.library_logs import quieten
from photolog.settings import load_settings
from photolog.telemetry import configure_logging


def purge_worker() -> None:
    """Tell the caches before the edge what is public no more, in the foreground.

    Ending it in any way loses nothing: the next goes on behind what every cache was told.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "purge-worker")
    quieten("cassandra", "httpx", "librdkafka")
    asyncio.run(run_in_foreground(settings, connect_purger, _work))


async def _work(purger: Purger, stop: asyncio.Event, ready: asyncio.Event) -> None:
    await purger.run(stop, ready)
