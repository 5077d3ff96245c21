"""The gateway that a benchmark measures, in a process of its own beside whoever loads it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import httpx
import uvicorn

from photolog.settings import load_settings

_BOOT_SECONDS = 60.0


def serve(application: str) -> None:
    """Serve an application as `bin/photolog gateway` serves its own, but for its WebSockets; runs in that process.

    Args:
        application: its factory's place.
    """
    gateway = load_settings().gateway
    uvicorn.run(
        application,
        factory=True,
        host=gateway.host,
        port=gateway.port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        http="gateway.protocol:BoundedProtocol",
        ws="none",
    )


@contextlib.contextmanager
def gateway_process(module: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve for as long as the context lasts.

    Args:
        module: what runs it.
        environment: the settings' keys.

    Yields:
        Its address, once it is ready.

    Raises:
        RuntimeError: it did not start.
    """
    address = f"http://{environment['PHOTOLOG_GATEWAY__HOST']}:{environment['PHOTOLOG_GATEWAY__PORT']}"
    # Each request's log line is written as in production, but not kept.
    server = subprocess.Popen([sys.executable, "-m", module], env=os.environ | environment, stderr=subprocess.DEVNULL)
    try:
        await_serving(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def await_serving(address: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until a process answers, whose answers need not end. Raises RuntimeError where it does not."""
    give_up = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < give_up and server.poll() is None:
        with (
            contextlib.suppress(httpx.TransportError),
            httpx.stream("GET", f"{address}/readyz", timeout=5) as answer,
        ):
            if answer.is_success:
                return
        time.sleep(0.2)
    raise RuntimeError("the benchmark's gateway did not start")
