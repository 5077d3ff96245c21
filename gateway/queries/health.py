"""Whether the process lives, whether its engines answer it, and what it counted."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.metrics import exposition
from gateway.middleware import ROUTE
from photolog.errors import PhotologError

Probe = Callable[[], Awaitable[object]]
PROBE_SECONDS = 2.0
_KEPT_SECONDS = 1.0


class Readiness:
    """Asks each engine, within a bound, and at most once a second however often it is asked itself."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes
        self._asking = asyncio.Lock()
        self._engines: dict[str, bool] = {}
        self._asked_at = float("-inf")

    async def engines(self) -> dict[str, bool]:
        """Which engines answer, by name."""
        async with self._asking:
            if time.monotonic() - self._asked_at > _KEPT_SECONDS:
                answers = await asyncio.gather(*(_answers(probe) for probe in self._probes.values()))
                self._engines = dict(zip(self._probes, answers, strict=True))
                self._asked_at = time.monotonic()
            return self._engines


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except (PhotologError, TimeoutError, OSError):
        return False
    return True


def routes(probes: Mapping[str, Probe]) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`."""
    readiness = Readiness(probes)

    async def healthz(request: Request) -> Response:
        return _json(request, {"status": "alive"})

    async def readyz(request: Request) -> Response:
        engines = await readiness.engines()
        ready = all(engines.values())
        states = {name: "ready" if answers else "unreachable" for name, answers in engines.items()}
        status = "ready" if ready else "not ready"
        return _json(request, {"status": status, "engines": states}, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        request.scope[ROUTE] = request.url.path
        return Response(await asyncio.to_thread(exposition), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _json(request: Request, body: object, status: int = 200) -> Response:
    request.scope[ROUTE] = request.url.path
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
