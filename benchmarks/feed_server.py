"""The gateway with one route beside its own, for the feed benchmark.

`GET /bench/page` is the opponent: plain Starlette, the same authentication, the same frame, one round trip to Redis,
and the ready page that lies there.
"""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from benchmarks.gateway_process import serve
from gateway.app import create_app
from gateway.services import Services
from photolog.settings import load_settings
from photolog.telemetry import configure_logging

PAGE_FIELD = "page"


def page_key(viewer_id: int) -> str:
    """The cache entry of a viewer's ready page."""
    return f"bench:{{0}}:{viewer_id}"


def _ready_page(services: Services) -> Sequence[BaseRoute]:
    async def page(request: Request) -> Response:
        authorization = request.headers.get("authorization", "").encode("latin-1")
        caller = await services.authentication.caller("account", authorization)
        ((ready,),) = await services.cache.read([(page_key(caller.account_id or 0), (PAGE_FIELD,))])
        if not isinstance(ready, bytes):
            return Response(status_code=404)
        return Response(ready, media_type="application/json")

    return [Route("/bench/page", page)]


def application() -> Starlette:
    """What uvicorn serves."""
    settings = load_settings()
    configure_logging(settings.log_level, "feed-bench")
    return create_app(settings, further=_ready_page)


if __name__ == "__main__":
    serve("benchmarks.feed_server:application")
