"""How long a request may take, and how long what it appended may still be on its way."""

from photolog.settings import Settings


def request_seconds_max(settings: Settings) -> float:
    """After so long a request is given up, whatever it waits for."""
    longest_ms = settings.kafka.append_timeout_ms + settings.gateway.position_wait_ms
    return longest_ms / 1_000 + settings.gateway.request_seconds


def command_seconds_max(settings: Settings) -> float:
    """After so long nothing of a command reaches the log any more: an append may outlive the request that began it."""
    return request_seconds_max(settings) + settings.kafka.append_timeout_ms / 1_000


def marked_seconds_max(settings: Settings) -> float:
    """So long after an account was marked nothing of its commands reaches the log any more, whatever caches lost."""
    return settings.limits.session_cache_seconds + command_seconds_max(settings)
