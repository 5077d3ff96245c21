"""How the gateway and the edge are served: one server, with the same bounds on what a client may send."""

from typing import Any

import uvicorn

DRAIN_SECONDS = 10


def serve_http(application: str, host: str, port: int, **further: Any) -> None:
    """Serve an application in the foreground until it is told to end.

    Args:
        application: its factory's place.
        host: address to listen on.
        port: to listen on.
        further: of uvicorn's own options, what is not the same for all.
    """
    uvicorn.run(
        application,
        factory=True,
        host=host,
        port=port,
        # The application writes a structured line for each request itself.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        http="gateway.protocol:BoundedProtocol",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        **further,
    )
