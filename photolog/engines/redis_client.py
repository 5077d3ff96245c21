"""A Redis (or Valkey) client for asyncio, single node or cluster, from settings."""

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.connection import SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from photolog.engines.redis_connection import QuickConnection, QuickSSLConnection
from photolog.settings import RedisSettings

RedisClient = Redis | RedisCluster
_TIMEOUT_SECONDS = 5.0


def connect_redis(settings: RedisSettings) -> RedisClient:
    """A client that connects on first use. Values are bytes.

    One reconnection is tried before an error is raised: a pooled connection may have died while it was idle.
    """
    url = settings.url.get_secret_value()
    options: dict[str, Any] = {
        "socket_timeout": _TIMEOUT_SECONDS,
        "socket_connect_timeout": _TIMEOUT_SECONDS,
        "protocol": 2,
    }
    if settings.ssl_ca_location is not None:
        options["ssl_ca_certs"] = settings.ssl_ca_location
    if settings.cluster:
        cluster: RedisCluster = RedisCluster.from_url(url, max_connections=settings.connections_max, **options)
        return cluster
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=settings.connections_max,
        timeout=_TIMEOUT_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), 1),
        retry_on_error=[RedisConnectionError],
        **options,
    )
    pool.connection_class = QuickSSLConnection if issubclass(pool.connection_class, SSLConnection) else QuickConnection
    # The client owns the pool: closing the one closes the other.
    return Redis.from_pool(pool)
