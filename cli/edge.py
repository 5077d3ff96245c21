"""`bin/photolog edge`: serves pictures and files."""

from cli.http_server import serve_http
from photolog.errors import SettingsError
from photolog.settings import load_settings

_KEEP_ALIVE_SECONDS = 75  # longer than a cache before it keeps a connection that it may use again
_BACKLOG = 2_048


def edge() -> None:
    """Serve pictures made to measure, and stored files; host and port come from the settings.

    It needs no cache before it, and several may stand behind one.

    Example: PHOTOLOG_ENV_FILE=production.env bin/photolog edge

    Raises:
        SettingsError: there is no host or no port to listen on.
    """
    settings = load_settings().edge
    if settings.host is None or settings.port is None:
        raise SettingsError("PHOTOLOG_EDGE__HOST and PHOTOLOG_EDGE__PORT: the edge needs both to listen on")
    serve_http(
        "edge.service:application",
        settings.host,
        settings.port,
        backlog=_BACKLOG,
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
