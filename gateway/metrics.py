"""What the gateway counts, for Prometheus."""

import os
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_REQUESTS = Counter("photolog_http_requests_total", "Requests answered", ("method", "route", "status"))
_SECONDS = Histogram(
    "photolog_http_request_seconds",
    "Time from a request's head to its answer's end",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_APPENDS = Counter("photolog_appends_total", "Events that the log acknowledged", ("topic",))
_DEGRADED = Counter("photolog_feed_degraded_total", "Pages of feeds that were less than they could be", ("reason",))
_REFUSED = Counter(
    "photolog_requests_refused_total", "Requests refused because a bucket was empty", ("rate_class", "policy")
)
_UNSHARED = Counter(
    "photolog_limits_unshared_total", "Decisions of this process's own buckets, while the shared ones were away"
)
_SUBSCRIBERS = Gauge("photolog_stream_subscribers", "Open subscriptions to streams", multiprocess_mode="livesum")
_DELIVERED = Counter("photolog_stream_events_delivered_total", "Events that were sent to subscribers")
_DROPPED = Counter("photolog_stream_dropped_slow_total", "Subscriptions that were let go because they were too slow")
_ENDED = Counter("photolog_stream_ended_total", "Subscriptions that ended", ("reason",))
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

# Finding a labelled child costs more than counting in it. Labels are few: routes are templates.
_requests_of = lru_cache(maxsize=4_096)(_REQUESTS.labels)
_seconds_of = lru_cache(maxsize=1_024)(_SECONDS.labels)
_appends_of = lru_cache(maxsize=256)(_APPENDS.labels)


def request_served(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. Status 0 stands for one that broke before it was answered."""
    _requests_of(method if method in _METHODS else "other", route, str(status)).inc()
    _seconds_of(route).observe(seconds)


def appended(topic: str) -> None:
    """Count an event that the log acknowledged."""
    _appends_of(topic).inc()


def feed_degraded(reason: str) -> None:
    """Count a page of a feed that was less than it could be."""
    _DEGRADED.labels(reason).inc()


def refused(rate_class: str, policy: str) -> None:
    """Count a request that a bucket refused."""
    _REFUSED.labels(rate_class, policy).inc()


def subscription_began() -> None:
    """Count a subscription that is open."""
    _SUBSCRIBERS.inc()


def events_delivered(count: int) -> None:
    """Count events that were sent to a subscriber."""
    _DELIVERED.inc(count)


def subscription_ended(reason: str) -> None:
    """Count a subscription that is open no more."""
    _SUBSCRIBERS.dec()
    _ENDED.labels(reason).inc()
    if reason == "slow-consumer":
        _DROPPED.inc()


def limits_unshared() -> None:
    """Count a decision that this process made alone."""
    _UNSHARED.inc()


def whole_registry() -> CollectorRegistry:
    """What every process of this gateway counted, where there are several."""
    if MULTIPROCESS_FOLDER not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def exposition() -> bytes:
    """All metrics in Prometheus's text form."""
    return generate_latest(whole_registry())
