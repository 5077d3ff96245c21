"""Waiting out an engine that is away: the worker stands still and loses nothing."""

import random
from asyncio import sleep
from collections.abc import Awaitable, Callable

import structlog

from photolog.errors import LogUnavailable, StoreUnavailable
from photolog.worker_metrics import STALLED

logger = structlog.get_logger(__name__)

TRANSIENT = (StoreUnavailable, LogUnavailable)
"""What adapters raise for an engine that is away, full, or changing its leader; trying again is right."""


class Stall:
    """Runs attempts until one passes, with growing pauses, for as long as it takes.

    Args:
        name: whose attempts these are, in logs and metrics.
        transient: errors after which to try again.
        first_seconds: the first pause.
        longest_seconds: the longest pause.
    """

    def __init__(
        self,
        name: str,
        transient: tuple[type[Exception], ...] = TRANSIENT,
        first_seconds: float = 0.1,
        longest_seconds: float = 5.0,
    ) -> None:
        self._name = name
        self._transient = transient
        self._caught: tuple[type[Exception], ...] = (*transient, ExceptionGroup)
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._waiting = 0

    @property
    def waits(self) -> bool:
        """Whether an attempt failed and is being repeated."""
        return self._waiting > 0

    async def until_done(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Run an attempt that may be repeated; any other error is the caller's."""
        pause_seconds = self._first_seconds
        waits = False
        try:
            while True:
                try:
                    await attempt()
                    return
                except self._caught as error:
                    if not self._is_transient(error):
                        raise
                    if not waits:
                        waits = True
                        self._began(error)
                    await sleep(pause_seconds * random.uniform(0.5, 1.0))
                    pause_seconds = min(2 * pause_seconds, self._longest_seconds)
        finally:
            if waits:
                self._ended()

    def _began(self, error: Exception) -> None:
        self._waiting += 1
        if self._waiting == 1:
            STALLED.labels(self._name).set(1)
            logger.warning("stalled", job=self._name, error=repr(error))

    def _ended(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            STALLED.labels(self._name).set(0)
            logger.info("stall-over", job=self._name)

    def _is_transient(self, error: Exception) -> bool:
        """Whether an engine's absence is all that it tells of; what ran side by side fails as a group."""
        if isinstance(error, ExceptionGroup):
            return all(self._is_transient(part) for part in error.exceptions)
        return isinstance(error, self._transient)
