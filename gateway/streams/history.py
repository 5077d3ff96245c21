"""The log from a cursor on, up to where the hub stands, and no record further."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from gateway.streams.frames import FRAME_RECORDS_MAX, Encoder, Frame, Heartbeat
from gateway.streams.hub import Hub
from gateway.streams.lens import Lens
from gateway.streams.log import StreamLog, StreamReader, places_of
from gateway.streams.mailbox import Mailbox

_NEAR_RECORDS = 400  # so few behind the hub, it has what follows put aside and reads the rest
_PAUSE_SECONDS = 0.05
_TRIES_MAX = 20
Places = dict[tuple[str, int], int]


@dataclass(slots=True)
class Joining:
    """A mailbox that is to get what the hub reads from some moment on.

    Args:
        hub: the hub.
        key: of those who get the same bytes.
        encoder: makes these.
        mailbox: takes what follows.
        offsets: from which on it gets everything; None before that moment.
    """

    hub: Hub
    key: tuple[object, ...]
    encoder: Encoder
    mailbox: Mailbox
    offsets: Places | None = None

    def join(self) -> None:
        """Begin to put aside what follows."""
        self.offsets = places_of(self.encoder.topics, self.hub.attach(self.key, self.encoder, self.mailbox))

    def leave(self) -> None:
        """Put nothing more aside."""
        self.hub.detach(self.key, self.mailbox)

    @property
    def stands(self) -> Places:
        """Where the hub is, in what concerns the subscriber."""
        return places_of(self.encoder.topics, self.hub.offsets)


class History:
    """Reads history for one subscriber.

    Args:
        log: the log.
        lens: looks at the records.
        joining: what it leads to.
        heartbeat_seconds: of silence, after which the subscriber is told where it stands.
    """

    def __init__(self, log: StreamLog, lens: Lens, joining: Joining, heartbeat_seconds: float) -> None:
        self._log = log
        self._lens = lens
        self._joining = joining
        self._heartbeat_seconds = heartbeat_seconds

    async def frames(self, offsets: Places) -> AsyncGenerator[Frame | Heartbeat, None]:
        """Everything from some offsets on that the mailbox does not get; it ends early where that got too full.

        Args:
            offsets: where to begin; they follow what was given out.

        Raises:
            Gone: the log does not hold what comes next any more.
            LogUnavailable, StoreUnavailable, PositionTimeout: it could not be told for too long.
        """
        reader = self._log.reader(offsets)
        told_at = time.monotonic()
        try:
            while not self._is_done(offsets):
                async with aclosing(self._step(reader, offsets)) as step:
                    async for frame in step:
                        yield frame
                        told_at = time.monotonic()
                if time.monotonic() - told_at > self._heartbeat_seconds:
                    yield self._joining.encoder.heartbeat(offsets)
                    told_at = time.monotonic()
        finally:
            await reader.close()

    def _is_done(self, offsets: Places) -> bool:
        joined = self._joining.offsets
        if joined is None:
            return False
        return self._joining.mailbox.closed or all(offsets[place] >= end for place, end in joined.items())

    async def _step(self, reader: StreamReader, offsets: Places) -> AsyncGenerator[Frame, None]:
        joining = self._joining
        if joining.offsets is None:
            stands = joining.stands
            await self._take_new_partitions(reader, offsets, stands)
            behind = sum(max(0, end - offsets[place]) for place, end in stands.items())
            if behind <= _NEAR_RECORDS:
                if any(offsets[place] > end for place, end in stands.items()):
                    await asyncio.sleep(_PAUSE_SECONDS)  # the hub comes here, too
                else:
                    joining.join()
                return
        records = await reader.next()
        ends = joining.offsets
        wanted = [one for one in records if ends is None or one.offset < ends.get((one.topic, one.partition), 0)]
        seen = await self._lens.look_until_told(wanted, _TRIES_MAX) if wanted else []
        for start in range(0, len(seen), FRAME_RECORDS_MAX):
            part = seen[start : start + FRAME_RECORDS_MAX]
            frame = joining.encoder.frame(part, offsets)
            offsets.update({one.place: one.offset + 1 for one in part})
            if frame is not None:
                yield frame

    async def _take_new_partitions(self, reader: StreamReader, offsets: Places, stands: Places) -> None:
        """A partition that a topic grew by meanwhile is read from its start."""
        new = dict.fromkeys(stands.keys() - offsets.keys(), 0)
        if new:
            await reader.add(new)
            offsets |= new
