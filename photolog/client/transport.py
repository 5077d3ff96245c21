"""One person's connection: tokens that refresh themselves, positions that are carried along, bounded retries."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from photolog import positions
from photolog.client.problems import Unavailable, UnexpectedAnswer, Unreachable, error_of
from photolog.client.views import Tokens
from photolog.errors import TooSoon, Unauthenticated
from photolog.ids import new_event_id

T = TypeVar("T")
ATTEMPTS_MAX = 4
RETRY_SECONDS_MAX = 5.0
REFRESH_EARLY_SECONDS = 20.0


class CarriedPositions:
    """The newest place in the log that this client has written to, by partition; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._offsets: OrderedDict[tuple[str, int], int] = OrderedDict()

    def take(self, header: str | None) -> None:
        """Remember what an answer's `Photolog-Position` says."""
        for position in positions.parse_positions(header or ""):
            place = (position.topic, position.partition)
            self._offsets[place] = max(position.offset, self._offsets.pop(place, -1))
        while len(self._offsets) > positions.POSITIONS_MAX:
            self._offsets.popitem(last=False)

    def header(self) -> str:
        """The header to send with the next query; empty where nothing was written yet."""
        return positions.format_positions(
            positions.Position(topic, partition, offset) for (topic, partition), offset in self._offsets.items()
        )


class Transport:
    """Sends requests for one person.

    Args:
        http: the connection pool, shared by as many people as wanted; its base URL is the gateway's.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._tokens: Tokens | None = None
        self._access_until = 0.0
        self._refreshing = asyncio.Lock()
        self.positions = CarriedPositions()

    @property
    def access_token(self) -> str | None:
        """The bearer token of the next request."""
        return self._tokens.access_token if self._tokens else None

    def hold(self, tokens: Tokens | None) -> None:
        """Use these tokens from now on; None forgets them."""
        self._tokens = tokens
        self._access_until = time.monotonic() + (tokens.expires_in_seconds if tokens else 0) - REFRESH_EARLY_SECONDS

    async def query(self, path: str, answer: type[T], **params: Any) -> T:
        """A GET that waits until the server has seen this client's own writes."""
        return self._decoded(await self.send("GET", path, params=_given(params)), answer)

    async def command(self, method: str, path: str, answer: type[T], body: Any = None) -> T:
        """A request that changes something; a retry under its key changes nothing more."""
        return self._decoded(await self.send(method, path, body=body), answer)

    async def send(
        self, method: str, path: str, *, body: Any = None, params: Mapping[str, str] | None = None, bearer: bool = True
    ) -> httpx.Response:
        """Send, refresh the token where it ran out, and try again while the platform asks for it.

        Raises:
            Refusal: the request may not be done; the subclass says why. `TooSoon` where it may be done later than
                `RETRY_SECONDS_MAX`.
            Unavailable: the platform still could not answer after `ATTEMPTS_MAX` attempts.
            Unreachable: the gateway did not answer at all.
        """
        headers = {} if method == "GET" else {"Idempotency-Key": str(new_event_id())}
        for attempt in range(1, ATTEMPTS_MAX + 1):
            last = attempt == ATTEMPTS_MAX
            try:
                return await self._once(method, path, body, params, headers, bearer)
            except Unavailable as error:
                if last:
                    raise
                await asyncio.sleep(min(error.retry_after_seconds, RETRY_SECONDS_MAX))
            except TooSoon as error:
                if last or error.retry_after_seconds > RETRY_SECONDS_MAX:
                    raise
                await asyncio.sleep(error.retry_after_seconds)
            except httpx.TransportError as error:
                if last:
                    raise Unreachable(f"{self._http.base_url} does not answer: {error!r}") from error
                await asyncio.sleep(0.1 * 2**attempt)
            except Unauthenticated:
                if last or not bearer or not await self._refreshed(stale=headers.get("Authorization")):
                    raise
        raise UnexpectedAnswer(f"{method} {path} was never answered")

    async def _once(
        self,
        method: str,
        path: str,
        body: Any,
        params: Mapping[str, str] | None,
        headers: dict[str, str],
        bearer: bool,
    ) -> httpx.Response:
        if bearer and self._tokens:
            if time.monotonic() > self._access_until:
                await self._refreshed(stale=f"Bearer {self._tokens.access_token}")
            headers["Authorization"] = f"Bearer {self.access_token}"
        if bearer and (carried := self.positions.header()):
            headers[positions.HEADER] = carried
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        answer = await self._http.request(method, path, content=content, params=params, headers=headers)
        if answer.status_code >= 400:
            raise error_of(answer)
        if method != "GET":  # a query tells what it covers, which is not this client's to wait for
            self.positions.take(answer.headers.get(positions.HEADER))
        return answer

    async def _refreshed(self, stale: str | None) -> bool:
        """Exchange the refresh token once, whoever of the waiting requests comes first."""
        async with self._refreshing:
            held = self._tokens
            if held is None:
                return False
            if stale != f"Bearer {held.access_token}":
                return True
            body = {"refresh_token": held.refresh_token}
            answer = await self.send("POST", "/v1/sessions/refresh", body=body, bearer=False)
            self.hold(self._decoded(answer, Tokens))
            return True

    def _decoded(self, answer: httpx.Response, wanted: type[T]) -> T:
        if wanted is type(None) or not answer.content:
            return msgspec.convert(None, wanted)
        try:
            return msgspec.json.decode(answer.content, type=wanted)
        except msgspec.DecodeError as error:
            raise UnexpectedAnswer(f"{answer.request.url.path}: {error}") from error


def _given(params: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value is not None}
