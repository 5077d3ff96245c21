"""One endpoint served: token, limits, body, query, position, idempotency, handler, log, answer: this order, for all."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from starlette.types import Receive, Scope, Send

from gateway.appending import append, encode
from gateway.authentication import Caller
from gateway.endpoint import Answer, Call, Command, Endpoint
from gateway.erasures import require_not_erased, require_staying
from gateway.limits.addresses import ClientAddresses
from gateway.limits.limiter import Admission, Limiter
from gateway.middleware import BOUND, ROUTE, SAID
from gateway.request_parts import ClientLeft, decode_body, decode_query, idempotency_key, read_body
from gateway.reservations import Idempotency
from gateway.services import Services
from gateway.vault.port import ReservationRow
from gateway.waiting import PositionWaiter
from photolog.errors import Corruption, Forbidden, Unauthenticated
from photolog.positions import HEADER, POSITIONS_MAX, Position, format_positions, parse_positions

NOT_COVERED = "photolog-not-covered"
_HEADER = HEADER.lower().encode()
_JSON = b"application/json"
_json_encode = msgspec.json.Encoder().encode
Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Machinery:
    """What serves every endpoint.

    Args:
        services: for the handlers.
        waiter: waits for positions.
        idempotency: keeps commands for their retries.
        limiter: limits how often whom may ask. A retry counts as any request does: it costs as much.
        addresses: tells clients by their address.
    """

    services: Services
    waiter: PositionWaiter
    idempotency: Idempotency
    limiter: Limiter
    addresses: ClientAddresses


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]
    etag: bool = False
    stream: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
    landed: tuple[Position, ...] = ()


class ServedEndpoint:
    """The ASGI form of an endpoint."""

    def __init__(self, endpoint: Endpoint, machinery: Machinery) -> None:
        self.endpoint = endpoint
        self._machinery = machinery
        self._services = machinery.services
        self._body_bytes_max = machinery.services.settings.gateway.body_bytes_max
        self._decoder = msgspec.json.Decoder(endpoint.body) if endpoint.body else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self.endpoint.path
        if self.endpoint.waits_seconds:
            bound = scope[BOUND]
            bound.reschedule(bound.when() + self.endpoint.waits_seconds)
        self._services.pinned.pin_known()
        headers: Headers = dict(scope["headers"])
        address = self._machinery.addresses.digest(scope)
        caller = await self._admitted(scope, headers.get(b"authorization"), address)
        try:
            body = await read_body(headers, receive, self._body_bytes_max)
        except ClientLeft:
            return
        call = self._call(scope, headers, caller, body, address)
        asked = parse_positions(headers[_HEADER].decode("latin-1")) if _HEADER in headers else ()
        far = await self._machinery.waiter.wait(self.endpoint.models, asked) if asked else ()
        reply = await self._decide(scope, headers, caller, call, body)
        if reply.stream is not None:
            await reply.stream(scope, receive, send)
            return
        await _send(reply, self._positions(reply, asked, far), headers.get(b"if-none-match"), send)

    async def _admitted(self, scope: Scope, authorization: bytes | None, address: str) -> Caller:
        """Who calls, once they may. Whoever is turned away pays from the address, or could try tokens for nothing."""
        limiter, rate_class = self._machinery.limiter, self.endpoint.rate_class
        try:
            caller = await self._caller(authorization)
        except (Forbidden, Unauthenticated):
            _require(await limiter.admit_stranger(rate_class, address), scope)
            raise
        whose = None if caller.role == "anonymous" else caller.scope
        _require(await limiter.admit(rate_class, whose, address), scope)
        return caller

    async def _caller(self, authorization: bytes | None) -> Caller:
        if self.endpoint.auth == "grant":
            return Caller("grant", grant=await self._services.streams.grants.admitted(authorization))
        return await self._services.authentication.caller(self.endpoint.auth, authorization)

    def _call(self, scope: Scope, headers: Headers, caller: Caller, body: bytes, address: str) -> Call:
        return Call(
            path=scope.get("path_params", {}),
            body=decode_body(self._decoder, headers, body),
            query=decode_query(self.endpoint.query, scope["query_string"]),
            viewer_id=caller.account_id,
            session_id=caller.session_id,
            role=caller.role,
            operator=caller.operator,
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()},
            address=address,
            grant=caller.grant,
        )

    async def _decide(self, scope: Scope, headers: Headers, caller: Caller, call: Call, body: bytes) -> _Reply:
        if self.endpoint.method == "GET":
            return await self._outcome(call, caller)
        if not self.endpoint.erases:
            require_staying(caller)
        key = idempotency_key(headers)
        if key is None or self.endpoint.observes:
            return await self._outcome(call, caller)
        idempotency = self._machinery.idempotency
        fingerprint = idempotency.fingerprint(scope["method"], scope["path"], scope["query_string"] + b"\n" + body)
        row = await idempotency.earlier(caller.scope, key, fingerprint)
        if row is not None:
            return await self._appended(await self._standing(call, row), caller)
        outcome = await self.endpoint.handler(self._services, call)
        if isinstance(outcome, Answer):
            return _answered(outcome)
        row = await self._reservation(outcome, fingerprint)
        standing = await idempotency.reserve(caller.scope, key, row)
        return await self._appended(standing, caller, outcome if standing is row else None)

    async def _outcome(self, call: Call, caller: Caller) -> _Reply:
        outcome = await self.endpoint.handler(self._services, call)
        if isinstance(outcome, Answer):
            return _answered(outcome)
        return await self._appended(await self._reservation(outcome, b""), caller, outcome)

    async def _reservation(self, command: Command, fingerprint: bytes) -> ReservationRow:
        return ReservationRow(
            body_hash=fingerprint,
            records=await encode(self._services, command),
            status=command.status,
            answer=b"" if command.answer is None else _json_encode(command.answer),
            wait_for=command.wait_for,
        )

    async def _standing(self, call: Call, row: ReservationRow) -> ReservationRow:
        """What a reserved command is now, as the same logical events; hardly ever another than it was."""
        if self.endpoint.retried is None:
            return row
        outcome = await self.endpoint.retried(self._services, call)
        if isinstance(outcome, Answer):
            raise Corruption(f"{self.endpoint.path} reserved a command and now gives an answer")
        event_ids = tuple(record.event_id for record in row.records)
        return await self._reservation(replace(outcome, event_ids=event_ids), row.body_hash)

    async def _appended(self, row: ReservationRow, caller: Caller, command: Command | None = None) -> _Reply:
        if not self.endpoint.erases:
            await require_not_erased(self._services, caller, row.records)
        positions = await append(self._services, row.records)
        if command is not None and command.acknowledged is not None:
            await command.acknowledged()
        if row.wait_for:
            await self._machinery.waiter.wait(row.wait_for, positions)
        status = row.status if row.answer else 204
        return _Reply(status, row.answer, {}, landed=() if self.endpoint.observes else tuple(positions))

    def _positions(self, reply: _Reply, asked: Sequence[Position], far: Sequence[str]) -> list[tuple[bytes, bytes]]:
        """A command says where it landed; a query, what it is known to cover.

        What the request asked for is said again, so that a client may carry the newest header alone.
        """
        known = reply.landed or self._machinery.waiter.known(self.endpoint.models)
        room = max(0, POSITIONS_MAX - len(reply.landed))
        covered = (*known, *asked) if len(known) + len(asked) <= POSITIONS_MAX else (*reply.landed, *asked[:room])
        headers = [(_HEADER, format_positions(covered).encode())]
        if far:
            headers.append((NOT_COVERED.encode(), ",".join(far).encode()))
        return headers


def _require(admission: Admission, scope: Scope) -> None:
    scope[SAID] = admission.headers
    if admission.refusal is not None:
        raise admission.refusal


def _answered(answer: Answer) -> _Reply:
    if answer.stream is not None:
        return _Reply(answer.status, b"", {}, stream=answer.stream)
    if answer.body is None:
        body = b""
    else:
        body = bytes(answer.body) if isinstance(answer.body, msgspec.Raw) else _json_encode(answer.body)
    return _Reply(answer.status if body or answer.status >= 300 else 204, body, answer.headers, answer.etag)


async def _send(reply: _Reply, positions: list[tuple[bytes, bytes]], if_none_match: bytes | None, send: Send) -> None:
    status, body = reply.status, reply.body
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers += positions
    names = {name for name, _ in headers}
    if reply.etag:
        tag = _etag(body)
        headers.append((b"etag", tag))
        if if_none_match is not None and _matches(if_none_match, tag):
            status, body = 304, b""
    if b"cache-control" not in names:
        headers.append((b"cache-control", b"private, no-cache" if reply.etag else b"no-store"))
    if body:
        headers.append((b"content-type", _JSON))
    if status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _etag(body: bytes) -> bytes:
    digest = hashlib.blake2b(body, digest_size=12).digest()
    return b'"' + base64.urlsafe_b64encode(digest) + b'"'


def _matches(if_none_match: bytes, tag: bytes) -> bool:
    """Weak comparison, as RFC 9110 §13.1.2 has it."""
    if if_none_match.strip() == b"*":
        return True
    return any(part.strip().removeprefix(b"W/") == tag for part in if_none_match.split(b","))
