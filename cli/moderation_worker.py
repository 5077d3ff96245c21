"""`photolog moderation-worker`: judges media before it is published; start as many as are needed."""

import asyncio

from cli.foreground import run_in_foreground
from moderation.bootstrap import connect
from moderation.worker import ModerationWorker
from photolog.library_logs import quieten
from photolog.settings import load_settings
from photolog.telemetry import configure_logging


def moderation_worker() -> None:
    """Judge photographs and videos before they are published, in the foreground.

    SIGTERM lets it finish what it began. Ending it in any way loses nothing: what waits goes on waiting for the next.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "moderation-worker")
    quieten("botocore", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, connect, _work))


async def _work(worker: ModerationWorker, stop: asyncio.Event, ready: asyncio.Event) -> None:
    await worker.run(stop, ready)
