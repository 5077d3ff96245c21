"""The frame around every request: correlation, trace context, time, problems, metrics and the access log.

Plain ASGI, because it runs on every request and a wrapper class per request costs as much as a small handler.
"""

import asyncio
import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import MEDIA_TYPE, Problem, problem_of
from gateway.metrics import request_served
from photolog import telemetry

ROUTE = "photolog.route"
SAID = "photolog.said"
"""In the scope: headers that the answer has whatever becomes of the request."""
BOUND = "photolog.bound"
"""In the scope: the time that the request has, for whoever may take longer (`asyncio.Timeout`)."""
_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{8,128}")
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_IN_FLIGHT_MAX = 1_000
_OVERLOADED = Problem(503, "overloaded", "too many requests at once; try again", headers={"retry-after": "1"})
_OVERDUE = Problem(503, "timeout", "the request took too long; try again", headers={"retry-after": "1"})
logger = structlog.get_logger(__name__)


class RequestFrame:
    """Wraps the application.

    Args:
        app: what is wrapped.
        seconds_max: how long a request may take, whatever it waits for.
        secure: whether clients reach us by https, and shall not by anything else.
    """

    def __init__(self, app: ASGIApp, *, seconds_max: float, secure: bool) -> None:
        self._app = app
        self._seconds_max = seconds_max
        transport = ((b"strict-transport-security", b"max-age=63072000; includeSubDomains"),) if secure else ()
        self._headers = (*_SECURITY, *transport)
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        correlation = _begin(scope["headers"])
        status = 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = scope.get(SAID, ())
                message["headers"] = [*message["headers"], *said, (b"x-request-id", correlation), *self._headers]
            await send(message)

        self._in_flight += 1
        try:
            if self._in_flight > _IN_FLIGHT_MAX:
                await _send_problem(_OVERLOADED, correlation.decode(), framed)
                return
            async with asyncio.timeout(self._seconds_max) as scope[BOUND]:
                await self._app(scope, receive, framed)
        # The edge of the process: every error becomes a problem here, and those of our own making are logged.
        except Exception as error:
            if status:
                raise
            await _send_problem(problem_to_tell(error), correlation.decode(), framed)
        finally:
            self._in_flight -= 1
            _finish(scope, status, time.perf_counter() - started)


def _begin(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Take over the caller's correlation id and trace context where they are sane."""
    correlation = trace = None
    for name, value in headers:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            correlation = value
        elif name == b"traceparent" and _TRACEPARENT.fullmatch(value):
            trace = value.decode()
    correlation = correlation or secrets.token_hex(16).encode()
    telemetry.correlation_id.set(correlation.decode())
    telemetry.traceparent.set(trace)
    return correlation


def problem_to_tell(error: Exception) -> Problem:
    """The problem that an error is to the client, logged where it is of our own making."""
    if isinstance(error, TimeoutError):
        return _OVERDUE
    problem = problem_of(error)
    if problem.status == 500:
        logger.error("request-failed", exc_info=error)
    elif problem.status == 503:
        logger.warning("unavailable", kind=problem.kind, cause=str(error))
    return problem


async def _send_problem(problem: Problem, correlation: str, send: Send) -> None:
    body = problem.document(correlation)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **problem.headers,
    }
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _finish(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get(ROUTE, "unmatched")
    request_served(scope["method"], route, status, seconds)
    logger.info(
        "request", method=scope["method"], path=scope["path"], status=status, milliseconds=round(seconds * 1000, 2)
    )
