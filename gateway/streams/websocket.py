"""`GET /v1/streams/subscribe` as a WebSocket: what may not be subscribed is refused as a problem before the upgrade."""

import asyncio
import secrets
import time
from typing import Any

import structlog
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import MEDIA_TYPE, Problem
from gateway.limits.addresses import ClientAddresses
from gateway.limits.limiter import Admission, Limiter
from gateway.metrics import request_served
from gateway.middleware import problem_to_tell
from gateway.request_parts import decode_query
from gateway.streams.desk import Desk, SubscribeQuery
from gateway.streams.subscription import Subscription
from gateway.streams.wire import serve_websocket
from gateway.vault.port import GrantRow
from photolog import telemetry
from photolog.errors import Unauthenticated

PATH = "/v1/streams/subscribe"
logger = structlog.get_logger(__name__)


class SubscribeSocket:
    """The ASGI form of the WebSocket.

    Args:
        desk: opens subscriptions.
        limiter: limits how often whom may ask.
        addresses: tells clients by their address.
        seconds_max: how long it may take until a subscription is open.
    """

    def __init__(self, desk: Desk, limiter: Limiter, addresses: ClientAddresses, seconds_max: float) -> None:
        self._desk = desk
        self._limiter = limiter
        self._addresses = addresses
        self._seconds_max = seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        correlation = secrets.token_hex(16)
        telemetry.correlation_id.set(correlation)
        said: list[tuple[bytes, bytes]] = [(b"x-request-id", correlation.encode())]
        try:
            async with asyncio.timeout(self._seconds_max):
                query, opened = await self._opened(scope, said)
        # The edge of the process: every error becomes a problem here, and those of our own making are logged.
        except Exception as error:  # noqa: BLE001
            problem = problem_to_tell(error)
            _told(problem.status, time.perf_counter() - began)
            await _deny(problem, correlation, said, scope, receive, send)
            return
        _told(101, time.perf_counter() - began)
        await serve_websocket(self._desk, opened, query.compress == "zstd", scope, receive, send)

    async def _opened(self, scope: Scope, said: list[tuple[bytes, bytes]]) -> tuple[SubscribeQuery, Subscription]:
        address = self._addresses.digest(scope)
        grant = await self._admitted(dict(scope["headers"]).get(b"authorization"), address, said)
        query: SubscribeQuery = decode_query(SubscribeQuery, scope["query_string"])
        return query, await self._desk.open(grant, query)

    async def _admitted(self, token: bytes | None, address: str, said: list[tuple[bytes, bytes]]) -> GrantRow:
        """Whose grant it is, once they may go on; as gateway/serving.py does it."""
        try:
            grant = await self._desk.grants.admitted(token)
        except Unauthenticated:
            _require(await self._limiter.admit_stranger("read", address), said)
            raise
        _require(await self._limiter.admit("read", f"grant:{grant.grant_id}", address), said)
        return grant


def _require(admission: Admission, said: list[tuple[bytes, bytes]]) -> None:
    said += admission.headers
    if admission.refusal is not None:
        raise admission.refusal


def _told(status: int, seconds: float) -> None:
    request_served("GET", PATH, status, seconds)
    logger.info("request", method="GET", path=PATH, status=status, milliseconds=round(seconds * 1000, 2))


async def _deny(
    problem: Problem,
    correlation: str,
    said: list[tuple[bytes, bytes]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Refuse the upgrade: with the problem where the server can (ASGI's denial response), else bare."""
    await receive()  # websocket.connect
    extensions: dict[str, Any] = scope.get("extensions") or {}
    if "websocket.http.response" not in extensions:
        await send({"type": "websocket.close", "code": 1008, "reason": problem.kind})
        return
    body = problem.document(correlation)
    headers = {"content-type": MEDIA_TYPE, "cache-control": "no-store", **problem.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    start: Message = {"type": "websocket.http.response.start", "status": problem.status, "headers": [*raw, *said]}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": body})
