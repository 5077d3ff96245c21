"""The gateway with one route beside its own, for the benchmark of trays.

`GET /bench/tray` and `/bench/tray-bare` are the opponents: plain Starlette, the same authentication, and one pipelined
batch of commands to Redis that reads what a tray is made of: for each followee their live stories, for each of those
with stories their card and what the viewer is to them, and the viewer's own entries. Nothing is made of it. Which keys
these are they are told.

The first sends the batch by redis-py's pipeline, over the connections that the gateway itself uses. The second is as
quick as Python can be at it: the batch is packed once, written to a socket as it is, and hiredis takes the answers
apart.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import hiredis
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from benchmarks.gateway_process import serve
from gateway.app import create_app
from gateway.services import Services
from photolog.engines.redis_client import connect_redis
from photolog.settings import RedisSettings, load_settings
from photolog.telemetry import configure_logging

COMMANDS_KEY = "bench:tray"
_READ_BYTES = 1 << 18


class _BareBatch:
    """One batch of commands, on connections of its own.

    Args:
        settings: which server.
        commands: the batch.
    """

    def __init__(self, settings: RedisSettings, commands: Sequence[Sequence[str]]) -> None:
        self._url = urlsplit(settings.url.get_secret_value())
        self._packed = b"".join(_packed(command) for command in commands)
        self._count = len(commands)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self) -> int:
        """Send it, and wait for every answer; how many there were."""
        connection = self._idle.pop() if self._idle else await self._connected()
        answers = await self._answers(connection, self._packed, self._count)
        self._idle.append(connection)
        return len(answers)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = await asyncio.open_connection(self._url.hostname, self._url.port)
        if self._url.password:
            user = [self._url.username] if self._url.username else []
            await self._answers(connection, _packed(["AUTH", *user, self._url.password]), 1)
        return connection

    @staticmethod
    async def _answers(
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], packed: bytes, count: int
    ) -> list[object]:
        reader, writer = connection
        writer.write(packed)
        parser, answers = hiredis.Reader(), list[object]()
        while len(answers) < count:
            parser.feed(await reader.read(_READ_BYTES))
            while (answer := parser.gets()) is not False:
                if isinstance(answer, hiredis.ReplyError):
                    raise answer
                answers.append(answer)
        return answers


def _packed(command: Sequence[str]) -> bytes:
    return hiredis.pack_command(tuple(command))  # type: ignore[arg-type, no-any-return]  # its types know of one word only


def _batches(services: Services) -> Sequence[BaseRoute]:
    client: Any = connect_redis(services.settings.redis)
    known: list[list[list[str]]] = []
    bare: list[_BareBatch] = []

    async def commands(request: Request) -> list[list[str]]:
        authorization = request.headers.get("authorization", "").encode("latin-1")
        await services.authentication.caller("account", authorization)
        if not known:
            known.append(msgspec.json.decode(await client.get(COMMANDS_KEY), type=list[list[str]]))
        return known[0]

    async def by_pipeline(request: Request) -> Response:
        pipeline = client.pipeline(transaction=False)
        for command in await commands(request):
            pipeline.execute_command(*command)
        return _answered(len(await pipeline.execute()))

    async def by_socket(request: Request) -> Response:
        wanted = await commands(request)
        if not bare:
            bare.append(_BareBatch(services.settings.redis, wanted))
        return _answered(await bare[0].run())

    return [Route("/bench/tray", by_pipeline), Route("/bench/tray-bare", by_socket)]


def _answered(answers: int) -> Response:
    return Response(b'{"answers":%d}' % answers, media_type="application/json")


def application() -> Starlette:
    """What uvicorn serves."""
    settings = load_settings()
    configure_logging(settings.log_level, "tray-bench")
    return create_app(settings, further=_batches)


if __name__ == "__main__":
    serve("benchmarks.tray_server:application")
