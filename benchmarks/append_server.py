"""The gateway with two routes beside its own, for the append benchmark.

`POST /v1/bench/append` is an endpoint like any other and does what every command does, but reads no rows to decide
whether it may. `POST /bench/bare` is the opponent: plain Starlette, the same authentication, the same frame.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from benchmarks.gateway_process import serve
from gateway.app import create_app
from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.routes import ENDPOINTS
from gateway.services import Services
from photolog.settings import load_settings
from photolog.telemetry import configure_logging
from schemas.events import CommentCreated


class Append(Body, frozen=True, kw_only=True):
    post_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$")]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2_200)]


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    comment_id: str


async def _append(services: Services, call: Call) -> Command:
    body: Append = call.body
    comment_id = services.ids.next()
    event = CommentCreated(comment_id=comment_id, post_id=int(body.post_id), author_id=call.viewer, text=body.text)
    return Command((event,), Appended(comment_id=str(comment_id)), status=201)


def _bare(services: Services) -> Sequence[BaseRoute]:
    async def bare(request: Request) -> JSONResponse:
        authorization = request.headers.get("authorization", "").encode("latin-1")
        await services.authentication.caller("account", authorization)
        body = await request.json()
        return JSONResponse({"comment_id": body["post_id"]}, status_code=201)

    return [Route("/bench/bare", bare, methods=["POST"])]


def application() -> Starlette:
    """What uvicorn serves."""
    settings = load_settings()
    configure_logging(settings.log_level, "append-bench")
    append = Endpoint(
        "POST", "/v1/bench/append", _append, "Append", "bench", body=Append, response=Appended, status=201
    )
    return create_app(settings, endpoints=[*ENDPOINTS, append], further=_bare)


if __name__ == "__main__":
    serve("benchmarks.append_server:application")
