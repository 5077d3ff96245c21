"""`photolog keeper-worker`: removes and moves the files of media; one is enough, several share the work."""

import asyncio

from cli.foreground import run_in_foreground
from keeper.bootstrap import connect
from keeper.worker import Keeper
from photolog.library_logs import quieten
from photolog.settings import load_settings
from photolog.telemetry import configure_logging


def keeper_worker() -> None:
    """Remove refused uploads, collect media that nothing holds and archive stories, in the foreground.

    Ending it in any way loses nothing: what was not done is done by the next.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "keeper-worker")
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, connect, _work))


async def _work(keeper: Keeper, stop: asyncio.Event, ready: asyncio.Event) -> None:
    ready.set()
    await keeper.run(stop)
