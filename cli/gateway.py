"""`bin/photolog gateway`: serves the public HTTP API."""

import os
import tempfile

from prometheus_client import start_http_server

from cli.http_server import serve_http
from gateway.metrics import MULTIPROCESS_FOLDER, whole_registry
from photolog.settings import Settings, load_settings

_KEEP_ALIVE_SECONDS = 30
_BACKLOG = 1_024
_MESSAGE_BYTES_MAX = 4_096  # subscribers say nothing
_PING_SECONDS = 20.0


def gateway() -> None:
    """Serve the public HTTP API; host, port and worker processes come from the settings.

    Example: PHOTOLOG_GATEWAY__WORKERS=2 bin/photolog gateway
    """
    settings = load_settings()
    if settings.gateway.workers == 1:
        _serve(settings)
        return
    with tempfile.TemporaryDirectory(prefix="photolog-metrics-") as folder:
        # The processes that uvicorn spawns inherit this, and keep their counts in the folder.
        os.environ[MULTIPROCESS_FOLDER] = folder
        _serve_metrics(settings)
        _serve(settings)


def _serve_metrics(settings: Settings) -> None:
    """Serve the metrics of all processes from this one, which outlives them."""
    if settings.metrics_host is not None and settings.metrics_port is not None:
        start_http_server(settings.metrics_port, addr=settings.metrics_host, registry=whole_registry())


def _serve(settings: Settings) -> None:
    serve_http(
        "gateway.app:application",
        settings.gateway.host,
        settings.gateway.port,
        workers=settings.gateway.workers,
        backlog=_BACKLOG,
        ws="gateway.protocol:AbortableWebSocket",
        ws_max_size=_MESSAGE_BYTES_MAX,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        # A compressor for each connection would cost more memory than all that waits for it.
        ws_per_message_deflate=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
