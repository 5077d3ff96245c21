"""A worker process in the foreground: shows its metrics, ends when it is told to, dies of what it cannot mend."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import structlog

from photolog.heap import settle_heap
from photolog.settings import Settings
from photolog.telemetry import serve_metrics_when

T = TypeVar("T")
Work = Callable[[T, asyncio.Event, asyncio.Event], Awaitable[None]]
"""Works with what was connected until its first event is set, and sets the second once it is ready."""
logger = structlog.get_logger(__name__)


async def run_in_foreground(
    settings: Settings, connect: Callable[[Settings], AbstractAsyncContextManager[T]], work: Work[T]
) -> None:
    """Connect and work until SIGTERM or SIGINT.

    Told to end while it still connects, it ends at once: nothing was begun, and an engine that is away may let it wait
    for long.

    Args:
        settings: all settings.
        connect: gives what the work needs.
        work: see `Work`.
    """
    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(serve_metrics_when(ready, settings))
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, os._exit, 0)
        async with connect(settings) as connected:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            settle_heap()
            await work(connected, stop, ready)
    # Whatever it was: a new process begins where this one was. Threads of libraries must not keep this one alive.
    except Exception as error:
        logger.exception("worker-ended", error=repr(error))
        sys.stderr.flush()
        os._exit(1)
    finally:
        serving.cancel()
