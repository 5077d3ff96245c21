"""What waits to be sent to one subscriber. It has a bound in bytes: who is too slow for it is told so and let go."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from gateway.streams.frames import Frame

_PATIENCE_SECONDS = 1.0
_PATIENCE_SHARE = 0.02


class Mailbox:
    """A subscriber's queue of frames.

    Args:
        bytes_max: of the events that wait.
        overflows: called once, where a frame does not fit; nothing is taken any more.
    """

    def __init__(self, bytes_max: int, overflows: Callable[[], None]) -> None:
        self._bytes_max = bytes_max
        self._overflows = overflows
        self._frames: deque[Frame] = deque()
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._silent_at = 0.0
        self._closed = False
        self._patience_seconds = _PATIENCE_SECONDS
        self._patient_at = time.monotonic()
        self.size_bytes = 0

    def asks_for(self, seconds: float) -> bool:
        """Whether the hub is to wait so long before the next frame: it is filling up, and has not asked for too much.

        A burst is waited out that way, for a second and then for one part in fifty of all time; nobody holds the others
        up for longer.
        """
        if self._closed or self.size_bytes * 2 < self._bytes_max:
            return False
        now = time.monotonic()
        earned = (now - self._patient_at) * _PATIENCE_SHARE
        self._patience_seconds = min(_PATIENCE_SECONDS, self._patience_seconds + earned)
        self._patient_at = now
        if self._patience_seconds < seconds:
            return False
        self._patience_seconds -= seconds
        return True

    def offer(self, frame: Frame) -> None:
        """Take a frame, if it fits. One frame always fits into an empty box."""
        if self._closed:
            return
        if self._frames and self.size_bytes + frame.size_bytes > self._bytes_max:
            self.close()
            self._overflows()
            return
        self._frames.append(frame)
        self.size_bytes += frame.size_bytes
        self._wake()

    @property
    def closed(self) -> bool:
        """Whether it takes nothing any more."""
        return self._closed

    def take_over(self, overflows: Callable[[], None]) -> bool:
        """Have somebody else called where it overflows; False where it has already."""
        self._overflows = overflows
        return not self._closed

    def close(self) -> None:
        """Take nothing more, forget what waits, and wake whoever waits for it."""
        self._closed = True
        self._frames.clear()
        self.size_bytes = 0
        if self._silence is not None:
            self._silence.cancel()
        self._wake()

    async def next(self, seconds: float) -> Frame | None:
        """The next frame; None where none came in so many seconds, or the box is closed."""
        if not self._frames and not self._closed:
            # One timer for all that comes within its time: a frame that is waited for starts and ends none.
            self._silent_at = self._loop.time() + seconds
            if self._silence is None:
                self._silence = self._loop.call_at(self._silent_at, self._look)
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self.size_bytes -= frame.size_bytes
        return frame

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _look(self) -> None:
        """Wake whoever waits and has heard nothing for so long; look again later where that is not yet so."""
        self._silence = None
        if self._waiting is None:
            return
        if self._loop.time() >= self._silent_at:
            self._wake()
        else:
            self._silence = self._loop.call_at(self._silent_at, self._look)
