"""Instants as clients read them."""

from datetime import UTC, datetime


def rfc3339(unix_ms: int) -> str:
    """An instant in RFC 3339, in UTC with milliseconds: `2026-11-22T10:15:00.123Z`.

    Args:
        unix_ms: milliseconds since the Unix epoch.
    """
    seconds, milliseconds = divmod(unix_ms, 1_000)
    # Whole seconds only: a float of them would round some milliseconds down.
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]}.{milliseconds:03d}Z"
