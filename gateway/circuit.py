"""Not waiting for an engine that did not answer a moment ago.

The first callers of an engine that is away wait as long as a call may take. Everyone behind them is told at once, but
for one every so often, who finds out whether it is back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from photolog.errors import StoreUnavailable

T = TypeVar("T")
FAILURES_MAX = 3
PAUSE_SECONDS = 1.0
logger = structlog.get_logger(__name__)


class Circuit:
    """Calls of one engine, each within a bound, and none to speak of while it is away.

    Args:
        engine: its name, for errors and logs.
        call_seconds: how long a call may take.
        failures_max: how many failures in a row open the circuit.
        pause_seconds: how long an open circuit lets nobody through before it lets one.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        engine: str,
        call_seconds: float,
        failures_max: int = FAILURES_MAX,
        pause_seconds: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._call_seconds = call_seconds
        self._failures_max = failures_max
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._failures = 0
        self._try_at = float("-inf")

    @property
    def open(self) -> bool:
        """Whether callers are turned away."""
        return self._failures >= self._failures_max

    async def call(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Ask the engine.

        Raises:
            StoreUnavailable: it did not answer, not in time, or not a moment ago.
        """
        if self.open and not self._my_turn():
            raise StoreUnavailable(f"{self._engine}: away a moment ago")
        try:
            async with asyncio.timeout(self._call_seconds):
                answer = await attempt()
        except TimeoutError as error:
            self._failed()
            raise StoreUnavailable(f"{self._engine}: no answer within {self._call_seconds} s") from error
        except StoreUnavailable:
            self._failed()
            raise
        if self._failures:
            self._answered()
        return answer

    def _my_turn(self) -> bool:
        now = self._clock()
        if now < self._try_at:
            return False
        self._try_at = now + self._pause_seconds
        return True

    def _failed(self) -> None:
        self._failures += 1
        self._try_at = self._clock() + self._pause_seconds
        if self._failures == self._failures_max:
            logger.warning("circuit-open", engine=self._engine)

    def _answered(self) -> None:
        if self.open:
            logger.info("circuit-closed", engine=self._engine)
        self._failures = 0
