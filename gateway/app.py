"""The gateway as an ASGI application: Starlette routes made of endpoints, one frame around them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from gateway import asyncapi
from gateway.bootstrap import Wired, connect
from gateway.deadlines import request_seconds_max
from gateway.endpoint import Endpoint
from gateway.limits.addresses import ClientAddresses
from gateway.limits.limiter import Limiter
from gateway.middleware import ROUTE, RequestFrame
from gateway.openapi import document
from gateway.queries import health
from gateway.reservations import Idempotency
from gateway.routes import ENDPOINTS
from gateway.services import Services
from gateway.serving import NOT_COVERED, Machinery, ServedEndpoint
from gateway.streams.websocket import PATH as SUBSCRIBE_PATH
from gateway.streams.websocket import SubscribeSocket
from gateway.waiting import PositionWaiter
from photolog.positions import HEADER
from photolog.settings import Settings, key_bytes, load_settings
from photolog.telemetry import configure_logging, serve_metrics

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_EXPOSED = [HEADER, NOT_COVERED, "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"]
_ALLOWED = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", HEADER, "X-Request-Id", "traceparent"]
Connect = Callable[[Settings], AbstractAsyncContextManager[Wired]]


def application() -> Starlette:
    """What uvicorn serves: everything from the settings."""
    settings = load_settings()
    configure_logging(settings.log_level, "gateway")
    if settings.gateway.workers == 1:
        serve_metrics(settings)
    return create_app(settings)


def create_app(
    settings: Settings,
    connected: Connect = connect,
    endpoints: Sequence[Endpoint] = ENDPOINTS,
    further: Callable[[Services], Sequence[BaseRoute]] = lambda services: (),
) -> Starlette:
    """The application. Its routes are there once it has started, because they stand on connected engines.

    Args:
        settings: all settings.
        connected: gives the services for the application's life.
        endpoints: the surface.
        further: routes beside it.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connected(settings) as wired:
            machinery = _machinery(wired.services)
            app.router.routes[:] = [
                *_routes(endpoints, machinery),
                _subscribe(machinery, settings),
                *health.routes(wired.probes),
                _openapi(endpoints, settings),
                _asyncapi(settings),
                *further(wired.services),
            ]
            yield
            await machinery.waiter.close()

    app = Starlette(
        lifespan=lifespan, middleware=_middleware(settings), exception_handlers={HTTPException: _to_the_frame}
    )
    app.router.redirect_slashes = False
    return app


async def _to_the_frame(request: Request, error: Exception) -> Response:
    """What the router refuses becomes a problem where all errors do."""
    raise error


class Methods:
    """The endpoints of one path, by method."""

    def __init__(self, path: str, served: dict[str, ServedEndpoint]) -> None:
        self._path = path
        self._served = served
        self._allow = ", ".join(method for method in _METHODS if method in served)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        served = self._served.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if served is None:
            scope[ROUTE] = self._path
            raise HTTPException(405, headers={"allow": self._allow})
        await served(scope, receive, send)


def _routes(endpoints: Sequence[Endpoint], machinery: Machinery) -> list[Route]:
    """One route for each path, those with fewer parameters first: `by-username` is no account's id."""
    by_path: dict[str, dict[str, ServedEndpoint]] = {}
    for endpoint in endpoints:
        served = by_path.setdefault(endpoint.path, {})
        if endpoint.method in served:
            raise ValueError(f"{endpoint.method} {endpoint.path} is declared twice")
        served[endpoint.method] = ServedEndpoint(endpoint, machinery)
    ordered = sorted(by_path, key=lambda path: [part.startswith("{") for part in path.split("/")])
    return [Route(path, Methods(path, by_path[path]), methods=None) for path in ordered]


def _machinery(services: Services) -> Machinery:
    settings = services.settings
    hash_key = key_bytes(settings.secrets.hash_key)
    return Machinery(
        services=services,
        waiter=PositionWaiter(
            services.rows,
            services.timelines,
            settings.gateway.position_wait_ms,
            selected=services.pinned.selected,
        ),
        idempotency=Idempotency(services.vault.reservations, hash_key),
        limiter=Limiter(services.buckets, settings.limits),
        addresses=ClientAddresses(hash_key, settings.gateway.trusted_proxies),
    )


def _middleware(settings: Settings) -> list[Middleware]:
    frame = Middleware(
        RequestFrame,
        seconds_max=request_seconds_max(settings),
        secure=settings.gateway.public_url.startswith("https:"),
    )
    if not settings.gateway.cors_origins:
        return [frame]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.gateway.cors_origins,
        allow_methods=list(_METHODS),
        allow_headers=_ALLOWED,
        expose_headers=_EXPOSED,
        max_age=600,
    )
    # Around the frame, because a page of another origin is to read problems too, and those are made there.
    return [cors, frame]


def _subscribe(machinery: Machinery, settings: Settings) -> WebSocketRoute:
    desk, seconds_max = machinery.services.streams, request_seconds_max(settings)
    return WebSocketRoute(SUBSCRIBE_PATH, SubscribeSocket(desk, machinery.limiter, machinery.addresses, seconds_max))


def _openapi(endpoints: Sequence[Endpoint], settings: Settings) -> Route:
    return _document("/openapi.json", document(endpoints, _version(), settings.gateway.public_url))


def _asyncapi(settings: Settings) -> Route:
    return _document("/asyncapi.json", asyncapi.document(_version(), settings.gateway.public_url))


def _document(path: str, written: bytes) -> Route:
    async def answered(request: Request) -> Response:
        request.scope[ROUTE] = path
        return Response(written, media_type="application/json", headers={"cache-control": "public, max-age=300"})

    return Route(path, answered)


def _version() -> str:
    try:
        return version("photolog")
    except PackageNotFoundError:
        return "0.1.0"
