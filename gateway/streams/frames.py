"""Events as they go out: serialised once for all subscribers of one grant and filter, compressed once, sent many times.

A frame's forms are made when they are first asked for and kept with it, so subscribers share them.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import zstandard

from gateway.streams.cursors import Offsets, StreamCursors
from gateway.streams.filters import Filter
from gateway.streams.lens import Public, Seen
from gateway.streams.log import places_of
from gateway.streams.pseudonyms import Pseudonyms
from gateway.streams.shapes import data_of
from photolog.positions import Position
from photolog.timestamps import rfc3339

FRAME_RECORDS_MAX = 32
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
HEARTBEAT, CLOSING = "stream.heartbeat", "stream.closing"
_encode = msgspec.json.Encoder().encode
_compress = zstandard.ZstdCompressor(level=3).compress


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a subscriber gets it.

    `id` is the same whenever the event comes, `at` when it happened (RFC 3339), `position` its place in the log;
    `cursor` goes on behind it.
    """

    type: str
    id: str
    at: str
    position: str
    cursor: str
    data: dict[str, Any]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Sent first, and when nothing else was for a while: all up to `cursor` was delivered."""

    type: str = HEARTBEAT
    cursor: str


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """Sent last: why the subscription ends. Going on is from the last cursor that came."""

    type: str = CLOSING
    reason: str
    detail: str


class Frame:
    """Some events that follow each other.

    Args:
        events: the JSON of each.
        cursors: behind each.
    """

    def __init__(self, events: Sequence[bytes], cursors: Sequence[str]) -> None:
        self.events = events
        self._cursors = cursors
        self.size_bytes = sum(map(len, events)) + sum(map(len, cursors))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """A WebSocket's text messages."""
        return tuple(event.decode() for event in self.events)

    @cached_property
    def lines_zstd(self) -> bytes:
        """A WebSocket's binary message: a Zstandard frame that holds a line for each event."""
        return _compress(b"\n".join((*self.events, b"")))

    @cached_property
    def server_sent(self) -> bytes:
        """Server-sent events, whose ids are the cursors."""
        pairs = zip(self.events, self._cursors, strict=True)
        return b"".join(b"id: %b\ndata: %b\n\n" % (cursor.encode(), event) for event, cursor in pairs)

    @cached_property
    def server_sent_zstd(self) -> bytes:
        """The same as `linked` in a body."""
        return linked(self.server_sent)


def linked(data: bytes) -> bytes:
    """A Zstandard frame without its magic number, and that of the next.

    A body of such parts, after one magic number, is a sequence of frames. Decoders that stop where a chunk ends with a
    frame (httpx's does) go on, as no chunk does.
    """
    return _compress(data)[len(ZSTD_MAGIC) :] + ZSTD_MAGIC


def compressed(data: bytes) -> bytes:
    """A Zstandard frame of its own."""
    return _compress(data)


class Encoder:
    """Makes the frames of one grant and filter.

    Args:
        cursors: makes cursors.
        pseudonyms: the grant's.
        wanted: the filter.
    """

    def __init__(self, cursors: StreamCursors, pseudonyms: Pseudonyms, wanted: Filter) -> None:
        self._cursors = cursors
        self._pseudonyms = pseudonyms
        self._wanted = wanted

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that the filter needs."""
        return self._wanted.topics

    def frame(self, seen: Sequence[Seen], before: Offsets) -> Frame | None:
        """The frame of some records.

        Args:
            seen: the records, in order, at most `FRAME_RECORDS_MAX`.
            before: the offsets in front of them.

        Returns:
            None where the filter takes none.
        """
        offsets = places_of(self._wanted.topics, before)
        events, cursors = [], []
        for one in seen:
            if one.place[0] not in self._wanted.topics:
                continue
            offsets[one.place] = one.offset + 1
            if one.public is not None and self._wanted.takes(one.public.event.type, one.public.chance):
                cursors.append(self._cursors.encode(offsets))
                events.append(self._event(one, one.public, cursors[-1]))
        return Frame(events, cursors) if events else None

    def heartbeat(self, offsets: Offsets) -> Heartbeat:
        """What says that everything up to some offsets was delivered."""
        return Heartbeat(cursor=self._cursors.encode(offsets))

    def _event(self, seen: Seen, public: Public, cursor: str) -> bytes:
        return _encode(
            StreamEvent(
                type=public.event.type,
                id=str(public.event_id),
                at=rfc3339(public.at_ms),
                position=str(Position(*seen.place, seen.offset)),
                cursor=cursor,
                data=data_of(public.event, self._pseudonyms),
            )
        )
