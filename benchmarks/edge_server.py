"""The edge with one route beside its own, for the edge's benchmark.

`GET /bench/thumbnail` is the opponent: the same server and frame, and bare libvips in as many threads, over bytes that
it holds already.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyvips
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from benchmarks.gateway_process import serve
from benchmarks.photograph import photograph
from edge.bootstrap import EdgeServices
from edge.service import create_app
from photolog.settings import load_settings
from photolog.telemetry import configure_logging

SIDE_PX = 640
SOURCE_PX = (2_048, 1_536)
"""Of the largest file that is kept of a photograph."""


def _bare(services: EdgeServices) -> Sequence[BaseRoute]:
    threads = ThreadPoolExecutor(os.cpu_count() or 1)
    source = photograph(*SOURCE_PX)

    async def thumbnail(request: Request) -> Response:
        made = await asyncio.get_running_loop().run_in_executor(threads, _thumbnail, source)
        return Response(made, media_type="image/jpeg")

    return [Route("/bench/thumbnail", thumbnail)]


def _thumbnail(source: bytes) -> bytes:
    image = pyvips.Image.thumbnail_buffer(source, SIDE_PX, height=SIDE_PX, crop="centre")
    return bytes(image.jpegsave_buffer(Q=82, keep="none"))


def application() -> Starlette:
    """What uvicorn serves."""
    settings = load_settings()
    configure_logging(settings.log_level, "edge-bench")
    return create_app(settings, further=_bare)


if __name__ == "__main__":
    serve("benchmarks.edge_server:application")
