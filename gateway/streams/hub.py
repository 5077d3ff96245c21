"""The one reader that all live subscribers of a process share: a record is read, decoded and judged once for them all.

It reads from where the log ended when its first user came, in no group, and goes to sleep when the last one has left.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence

import structlog

from gateway.streams.frames import FRAME_RECORDS_MAX, Encoder
from gateway.streams.lens import Lens, Seen
from gateway.streams.log import HUB_RECORDS_MAX, StreamLog, StreamReader
from gateway.streams.mailbox import Mailbox
from photolog.errors import LogUnavailable

_TOPICS_SECONDS = 5.0  # how often it looks for partitions that are new
_PAUSE_SECONDS = 0.5
_BREATH_SECONDS = 0.01
_BREATHS_MAX = 100
logger = structlog.get_logger(__name__)


class Group:
    """Subscribers who get the same bytes."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.mailboxes: set[Mailbox] = set()


class Hub:
    """Reads the public topics for everybody.

    Args:
        log: the log.
        topics: the public topics.
        lens: looks at records.
        failed: called where the reading broke by an error of our own; every user is to be let go.
    """

    def __init__(self, log: StreamLog, topics: tuple[str, ...], lens: Lens, failed: Callable[[], None]) -> None:
        self._log = log
        self._topics = topics
        self._lens = lens
        self._failed = failed
        self._groups: dict[Hashable, Group] = {}
        self._users = 0
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._reader: StreamReader | None = None
        self._looked_at = 0.0
        self.offsets: dict[tuple[str, int], int] = {}

    async def enter(self) -> None:
        """Have it read, until as many have left as entered. Raises LogUnavailable where it cannot begin."""
        async with self._starting:
            if self._task is None or self._task.done():
                await self.close()
                _, ends = await self._log.bounds(self._topics)
                self.offsets = dict(ends)
                self._looked_at = time.monotonic()
                self._reader = self._log.reader(ends, HUB_RECORDS_MAX)
                self._task = asyncio.create_task(self._run(self._reader))
            self._users += 1

    async def leave(self) -> None:
        """End one `enter`."""
        self._users -= 1
        if self._users == 0:
            await self.close()

    async def close(self) -> None:
        """Stop reading."""
        task, reader = self._task, self._reader
        self._task = self._reader = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if reader is not None:
            await reader.close()

    def attach(self, key: Hashable, encoder: Encoder, mailbox: Mailbox) -> dict[tuple[str, int], int]:
        """Put what follows into a mailbox.

        Args:
            key: of those who get the same bytes.
            encoder: makes these; of the first of them.
            mailbox: the subscriber's.

        Returns:
            The offsets from which on it gets everything.
        """
        self._groups.setdefault(key, Group(encoder)).mailboxes.add(mailbox)
        return dict(self.offsets)

    def detach(self, key: Hashable, mailbox: Mailbox) -> None:
        """Put nothing more into a mailbox."""
        group = self._groups.get(key)
        if group is not None:
            group.mailboxes.discard(mailbox)
            if not group.mailboxes:
                del self._groups[key]

    async def _run(self, reader: StreamReader) -> None:
        """Serve what was judged while what comes next is."""
        ahead = asyncio.create_task(self._judged(reader))
        try:
            while True:
                try:
                    seen = await ahead
                except LogUnavailable as error:
                    logger.warning("stream-waits", cause=str(error))
                    await asyncio.sleep(_PAUSE_SECONDS)
                    seen = ()
                ahead = asyncio.create_task(self._judged(reader))
                await self._serve(seen)
        # The edge of a task: what broke is logged, and nobody is left waiting for it.
        except Exception as error:
            logger.error("stream-failed", exc_info=error)
            self._failed()
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _judged(self, reader: StreamReader) -> Sequence[Seen]:
        if time.monotonic() - self._looked_at > _TOPICS_SECONDS:
            await self._take_new_partitions(reader)
        records = await reader.next()
        return await self._lens.look_until_told(records) if records else ()

    async def _serve(self, seen: Sequence[Seen]) -> None:
        for start in range(0, len(seen), FRAME_RECORDS_MAX):
            part = seen[start : start + FRAME_RECORDS_MAX]
            for group in list(self._groups.values()):
                frame = group.encoder.frame(part, self.offsets)
                if frame is not None:
                    for mailbox in list(group.mailboxes):
                        mailbox.offer(frame)
            self.offsets.update({one.place: one.offset + 1 for one in part})
            await self._breathe()

    async def _breathe(self) -> None:
        """Let whoever sends send, and wait a little for those who fill up."""
        await asyncio.sleep(0)
        mailboxes = [mailbox for group in self._groups.values() for mailbox in group.mailboxes]
        for _ in range(_BREATHS_MAX):
            asking = [mailbox for mailbox in mailboxes if mailbox.asks_for(_BREATH_SECONDS)]
            if not asking:
                return
            await asyncio.sleep(_BREATH_SECONDS)

    async def _take_new_partitions(self, reader: StreamReader) -> None:
        """A partition that a topic grew by is read from its start."""
        starts, _ = await self._log.bounds(self._topics)
        self._looked_at = time.monotonic()
        new = {place: start for place, start in starts.items() if place not in self.offsets}
        if new:
            await reader.add(new)
            self.offsets |= new
