"""HTTP/1.1 as uvicorn speaks it, with bounds on what a client may send before anybody knows what it wants.

The parser keeps whatever it is given: an address, a header, a trailer or a chunk's extension may go on for ever, as
slowly as its sender likes. What exceeds a bound here is answered with a problem, and the connection ends.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.errors import MEDIA_TYPE, Problem
from gateway.metrics import request_served
from gateway.streams.wire import LEAVE, TRANSPORT

HEAD_BYTES_MAX = 32_768
HEADERS_MAX = 100
ADDRESS_BYTES_MAX = 8_192
HEAD_SECONDS_MAX = 15.0
LINGER_SECONDS = 2.0
_SEPARATORS_BYTES = 4  # ": " and the line's end

MALFORMED = Problem(400, "malformed-request", "this is no HTTP request")
TOO_SLOW = Problem(408, "request-timeout", f"a request begins within {HEAD_SECONDS_MAX:.0f} seconds")
ADDRESS_TOO_LONG = Problem(414, "address-too-long", f"an address has at most {ADDRESS_BYTES_MAX} bytes")
HEADERS_TOO_LARGE = Problem(
    431, "headers-too-large", f"a request has at most {HEADERS_MAX} headers of {HEAD_BYTES_MAX} bytes together"
)


class _Refused(Exception):
    """Stops the parser; the problem is in `_problem`."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    _unparsed_bytes = 0
    _trailers = 0
    _in_head = False
    _problem = MALFORMED
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._expect(HEAD_SECONDS_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unparsed_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        # The parser has made nothing of these bytes yet, so they are in its memory.
        if self._unparsed_bytes > HEAD_BYTES_MAX:
            self._refuse(HEADERS_TOO_LARGE)
        elif self._in_head and self._deadline is None:
            self._expect(HEAD_SECONDS_MAX)

    def on_message_begin(self) -> None:
        self._in_head, self._trailers = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            self._trailers += 1
            self._require(self._trailers <= HEADERS_MAX, HEADERS_TOO_LARGE)
            return  # nothing of ours reads them
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._progress()
        self._in_head = False
        self._expect(None)
        size = sum(len(name) + len(value) + _SEPARATORS_BYTES for name, value in self.headers)
        self._require(len(self.url) <= ADDRESS_BYTES_MAX, ADDRESS_TOO_LONG)
        self._require(len(self.headers) <= HEADERS_MAX and size <= HEAD_BYTES_MAX, HEADERS_TOO_LARGE)
        cast(dict[str, Any], self.scope)[TRANSPORT] = self.transport
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._progress()
        self._expect(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A client whose answer is there may end its body, but not go on for ever: nobody reads it."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._expect(LINGER_SECONDS)

    def shutdown(self) -> None:
        """What uvicorn calls before the process goes: a stream would otherwise keep it until it is ended by force."""
        leave = (self.scope or {}).get(LEAVE)
        if callable(leave):
            leave()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where the parser stopped."""
        self._refuse(self._problem)

    def _progress(self) -> None:
        self._unparsed_bytes = 0

    def _require(self, kept: bool, problem: Problem) -> None:
        if not kept:
            self._problem = problem
            raise _Refused

    def _expect(self, seconds: float | None) -> None:
        """Give the client so long for its next step; None where there is no hurry."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._overdue)

    def _overdue(self) -> None:
        self._deadline = None
        if self._in_head:
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_answer(problem))
        # Else the answer to an earlier request is under way, and nothing can be put into it.
        self.transport.close()
        request_served("other", "unparsed", problem.status, 0.0)


class AbortableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose connection can be cut off, also where the peer does not take what was sent."""

    async def run_asgi(self) -> None:
        cast(dict[str, Any], self.scope)[TRANSPORT] = self.transport
        await super().run_asgi()

    def keepalive_timeout(self) -> None:
        """A peer that does not answer a ping may not read the farewell either."""
        super().keepalive_timeout()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def _answer(problem: Problem) -> bytes:
    body = problem.document("")
    headers = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[problem.status] + headers.encode() + body
