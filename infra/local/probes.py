"""Questions that show whether a process serves, each in the process's own protocol and bounded to a few seconds.

Clients are imported where they are used: `status` and the supervisor need only some of them, and only while booting.
"""

import json
import socket
import urllib.error
import urllib.request
from http import HTTPStatus

SECONDS = 3.0


def accepts(port: int) -> bool:
    """Whether something listens on a loopback port: the cheap question before the true one."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def http_ok(url: str) -> bool:
    """Whether GET answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def flink_has_taskmanager(rest_port: int) -> bool:
    """Whether a JobManager knows of a TaskManager that was heard of a moment ago."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{rest_port}/overview", timeout=SECONDS) as answer:
            return bool(json.load(answer)["taskmanagers"])
    except (urllib.error.URLError, OSError, ValueError):
        return False


def kafka_serves(port: int) -> bool:
    """Whether a broker is registered and lists topics."""
    if not accepts(port):
        return False
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
    try:
        return bool(client.list_topics(timeout=SECONDS).brokers)
    except KafkaException:
        return False


def cassandra_serves(port: int) -> bool:
    """Whether a CQL query is answered."""
    if not accepts(port):
        return False
    from cassandra import DriverException
    from cassandra.cluster import Cluster, NoHostAvailable

    cluster = Cluster(
        ["127.0.0.1"], port=port, connect_timeout=SECONDS, schema_metadata_enabled=False, token_metadata_enabled=False
    )
    try:
        return cluster.connect().execute("SELECT release_version FROM system.local", timeout=SECONDS).one() is not None
    except (NoHostAvailable, DriverException, OSError):
        return False
    finally:
        cluster.shutdown()


def valkey_serves(url: str) -> bool:
    """Whether PING is answered with the credentials of this redis:// address; not while it still loads its data."""
    from redis import Redis, RedisError

    client = Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def s3_serves(endpoint: str, access_key: str, secret_key: str, region: str) -> bool:
    """Whether buckets are listed with these credentials."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=region,
        config=Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1}),
    )
    try:
        client.list_buckets()
    except (BotoCoreError, ClientError):
        return False
    finally:
        client.close()
    return True
