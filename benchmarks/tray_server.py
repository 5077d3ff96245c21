"""The gateway with one route beside its own, for the benchmark of trays.

`GET /bench/tray` is the opponent: plain Starlette, the same authentication, and one pipelined batch of commands to
Redis that reads what a tray is made of: for each followee their live stories, for each of those with stories their card
and what the viewer is to them, and the viewer's own entries. Nothing is made of it. Which keys these are it is told.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from benchmarks.gateway_process import serve
from gateway.app import create_app
from gateway.services import Services
from photolog.engines.redis_client import connect_redis
from photolog.settings import load_settings
from photolog.telemetry import configure_logging

COMMANDS_KEY = "bench:tray"


def _batch(services: Services) -> Sequence[BaseRoute]:
    client: Any = connect_redis(services.settings.redis)
    known: list[list[str]] = []

    async def batch(request: Request) -> Response:
        authorization = request.headers.get("authorization", "").encode("latin-1")
        await services.authentication.caller("account", authorization)
        if not known:
            known.extend(msgspec.json.decode(await client.get(COMMANDS_KEY), type=list[list[str]]))
        pipeline = client.pipeline(transaction=False)
        for command in known:
            pipeline.execute_command(*command)
        answers = await pipeline.execute()
        return Response(b'{"answers":%d}' % len(answers), media_type="application/json")

    return [Route("/bench/tray", batch)]


def application() -> Starlette:
    """What uvicorn serves."""
    settings = load_settings()
    configure_logging(settings.log_level, "tray-bench")
    return create_app(settings, further=_batch)


if __name__ == "__main__":
    serve("benchmarks.tray_server:application")
