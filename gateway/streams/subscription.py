"""One subscription: history from its cursor, if it has one, then what the hub puts into its mailbox, without a gap or a
repeat between the two; and how it ends.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from gateway.streams.frames import Closing, Encoder, Frame, Heartbeat
from gateway.streams.history import History, Joining
from gateway.streams.hub import Hub
from gateway.streams.lens import Lens
from gateway.streams.log import StreamLog, places_of
from gateway.streams.mailbox import Mailbox
from gateway.vault.port import GrantRow
from photolog.errors import Gone, LogUnavailable, PositionTimeout, StoreUnavailable

Reason = Literal[
    "cursor-expired",
    "grant-expired",
    "grant-revoked",
    "internal",
    "left",
    "shutdown",
    "slow-consumer",
    "unavailable",
    "unexpected-message",
]
DETAILS: Mapping[Reason, tuple[int, str]] = {
    "cursor-expired": (1008, "the log does not hold what comes next any more; begin again at `earliest`"),
    "grant-expired": (1008, "the grant has expired"),
    "grant-revoked": (1008, "the grant was revoked"),
    "internal": (1011, "something broke on our side; go on from the last cursor"),
    "left": (1000, "the subscriber left"),
    "shutdown": (1001, "this gateway goes away; go on from the last cursor at another"),
    "slow-consumer": (1008, "events came faster than they were taken; go on from the last cursor"),
    "unavailable": (1013, "the log or a store is away; go on from the last cursor later"),
    "unexpected-message": (1008, "a subscriber sends nothing"),
}
"""For each reason the close code of a WebSocket (RFC 6455, and 1013 as IANA registered it) and what is said."""
Outgoing = Frame | Heartbeat


@dataclass(frozen=True, slots=True)
class Sources:
    """What every subscription reads from.

    Args:
        log: for its history.
        lens: looks at its history.
        hub: gives what happens.
        heartbeat_seconds: of silence, after which it is told where it stands.
        bytes_max: of what may wait for it.
    """

    log: StreamLog
    lens: Lens
    hub: Hub
    heartbeat_seconds: float
    bytes_max: int


@dataclass(eq=False, slots=True)
class Subscription:
    """One subscriber.

    Args:
        grant: what it may have.
        key: of those who get the same bytes.
        encoder: makes these.
        sources: where they come from.
        start: the offsets from which it gets history; None for what happens from now on.
        caught_up: called once its history is read.
        reason: why it ends; None while it does not.
        wake: called when it is to end: gives whoever takes too long to listen up.
    """

    grant: GrantRow
    key: tuple[object, ...]
    encoder: Encoder
    sources: Sources
    start: Mapping[tuple[str, int], int] | None
    caught_up: Callable[[], None]
    reason: Reason | None = None
    wake: Callable[[], None] = lambda: None
    _mailbox: Mailbox = field(init=False)
    _sending_since: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._mailbox = Mailbox(self.sources.bytes_max, self._overflown)
        if self.start is None:
            self.sources.hub.attach(self.key, self.encoder, self._mailbox)

    def end(self, reason: Reason) -> None:
        """Have it end; the first reason counts."""
        if self.reason is None:
            self.reason = reason
            self._mailbox.close()
            self.wake()

    @property
    def closing(self) -> Closing:
        """What is said last."""
        reason = self.reason or "left"
        return Closing(reason=reason, detail=DETAILS[reason][1])

    @property
    def waiting_bytes(self) -> int:
        """What waits to be sent."""
        return self._mailbox.size_bytes

    def stuck_seconds(self) -> float:
        """For how long what was sent last has not been taken."""
        return 0.0 if self._sending_since is None else time.monotonic() - self._sending_since

    async def outgoing(self) -> AsyncGenerator[Outgoing, None]:
        """What is to be sent, until there is a reason to end."""
        try:
            async with aclosing(self._outgoing()) as outgoing:
                async for one in outgoing:
                    if self.reason is not None:
                        return
                    self._sending_since = time.monotonic()
                    yield one
                    self._sending_since = None
        except Gone:
            self.end("cursor-expired")
        except (LogUnavailable, StoreUnavailable, PositionTimeout):
            self.end("unavailable")
        finally:
            self._sending_since = None
            self.sources.hub.detach(self.key, self._mailbox)

    async def _outgoing(self) -> AsyncGenerator[Outgoing, None]:
        if self.start is None:
            yield self._heartbeat()
        else:
            async with aclosing(self._history(dict(self.start))) as history:
                async for one in history:
                    yield one
            self.caught_up()
        while self.reason is None:
            frame = await self._mailbox.next(self.sources.heartbeat_seconds)
            if frame is not None:
                yield frame
            elif self.reason is None:
                yield self._heartbeat()

    async def _history(self, offsets: dict[tuple[str, int], int]) -> AsyncGenerator[Outgoing, None]:
        """Read on until the mailbox has what follows; begin that again where it got too full meanwhile."""
        while self.reason is None:
            self._mailbox = Mailbox(self.sources.bytes_max, lambda: None)
            joining = Joining(self.sources.hub, self.key, self.encoder, self._mailbox)
            history = History(self.sources.log, self.sources.lens, joining, self.sources.heartbeat_seconds)
            async with aclosing(history.frames(offsets)) as frames:
                async for one in frames:
                    yield one
            if self._mailbox.take_over(self._overflown):
                return
            joining.leave()

    def _heartbeat(self) -> Heartbeat:
        """For when nothing waits: all up to where the hub stands was sent."""
        return self.encoder.heartbeat(places_of(self.encoder.topics, self.sources.hub.offsets))

    def _overflown(self) -> None:
        self.end("slow-consumer")
