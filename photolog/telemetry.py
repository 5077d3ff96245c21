"""Logs, metrics and trace context, the same in every process.

Logs are structured (JSON lines on stderr) and carry the correlation id of the request or event at hand, which is
also a header of every event. Metrics are Prometheus's, on `/metrics` of every process.
"""

import asyncio
import logging
import sys
from contextvars import ContextVar
from typing import Literal

import structlog
from prometheus_client import start_http_server
from prometheus_client.registry import REGISTRY

from photolog.settings import Settings

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)

Level = Literal["debug", "info", "warning", "error"]


def configure_logging(level: Level, process: str) -> None:
    """Send structlog and the standard library's loggers to stderr as JSON lines.

    Args:
        level: the least level that is written.
        process: the process's name, on every line.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _with_correlation,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.contextvars.bind_contextvars(process=process)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def serve_metrics(settings: Settings) -> None:
    """Serve `/metrics` from a thread of this process where the settings name an address and a port for it."""
    if settings.metrics_host is not None and settings.metrics_port is not None:
        start_http_server(settings.metrics_port, addr=settings.metrics_host, registry=REGISTRY)


async def serve_metrics_when(ready: asyncio.Event, settings: Settings) -> None:
    """Serve `/metrics` once a worker is ready: whoever watches takes the first answer for readiness."""
    await ready.wait()
    structlog.get_logger(__name__).info("worker-ready")
    serve_metrics(settings)


def current_traceparent() -> str | None:
    """The W3C trace context of the request or event at hand, None outside of one."""
    return traceparent.get()


def _with_correlation(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    current = correlation_id.get()
    if current:
        event["correlation_id"] = current
    return event
