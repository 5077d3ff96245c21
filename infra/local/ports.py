"""Which port each process listens on, and whether those ports can be had."""

import os
import random
import socket
from collections.abc import Iterable, Mapping

import psutil

from infra.local.errors import PortTaken, StackError

# Below Linux's range for outgoing connections (32768 and up), so that no client socket holds one by chance.
DEFAULT_BASE = 24_700
BASE_MAX = 65_500
PORT_BASE_KEY = "PHOTOLOG_LOCAL_PORT_BASE"

OFFSETS: Mapping[str, int] = {
    "gateway": 0,
    "kafka": 1,
    "kafka-controller": 2,
    "cassandra": 3,
    "cassandra-storage": 4,
    "valkey": 5,
    "s3proxy": 6,
    "apicurio": 7,
    "edge": 8,
    "varnish": 9,
    "worker-0-metrics": 10,
    "worker-1-metrics": 11,
    "transcode-worker-metrics": 12,
    "gateway-metrics": 13,
    "leaving-worker-metrics": 14,
    "edge-metrics": 15,
    "purge-worker-metrics": 16,
    "moderation-worker-metrics": 17,
    "keeper-worker-metrics": 18,
    "flink-worker-metrics": 19,
    # Three Valkey cluster nodes and, as the protocol wants, a second port for each (infra/local/cluster.py).
    "cluster-0": 20,
    "cluster-1": 21,
    "cluster-2": 22,
    "cluster-0-bus": 23,
    "cluster-1-bus": 24,
    "cluster-2-bus": 25,
    "flink-rest": 26,
    "flink-rpc": 27,
    "flink-blob": 28,
    "flink-task-rpc": 29,
    "flink-task-data": 30,
}
SPAN = 32


def ports_from(base: int) -> dict[str, int]:
    """The port of each name when the set starts at `base`.

    Raises:
        StackError: the base leaves no room or needs privileges.
    """
    if not 1_024 <= base <= BASE_MAX:
        raise StackError(f"The port base must be 1024..{BASE_MAX}, not {base}.")
    return {name: base + offset for name, offset in OFFSETS.items()}


def chosen_base(option: int | None) -> int:
    """The base that a person chose: the option, else PHOTOLOG_LOCAL_PORT_BASE, else the default."""
    if option is not None:
        return option
    text = os.environ.get(PORT_BASE_KEY)
    if not text:
        return DEFAULT_BASE
    if not text.isdecimal():
        raise StackError(f"{PORT_BASE_KEY} must be a number, not {text!r}.")
    return int(text)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now. A socket in TIME_WAIT does not count as taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def check_free(ports: Mapping[str, int]) -> None:
    """Make sure that every port can be listened on.

    Raises:
        PortTaken: naming each taken port, its holder where that can be seen, and how to choose others.
    """
    taken = [f"port {port} ({name}) is held by {holder(port)}" for name, port in ports.items() if not is_free(port)]
    if taken:
        raise PortTaken(
            f"Cannot start: {'; '.join(taken)}. Stop it, or choose other ports with `--port-base N` or "
            f"{PORT_BASE_KEY}=N (the ports N to N+{SPAN - 1} are used)."
        )


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may see."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "a process that this user may not see"
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
            continue
        if connection.laddr.port == port:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                break
    return "a process that this user may not see"


def pick_free_port_base(names: Iterable[str] = tuple(OFFSETS)) -> int:
    """A base whose named ports are all free now, chosen at random so that parallel test runs seldom meet.

    Raises:
        StackError: a hundred tries found none.
    """
    wanted = tuple(names)
    for _ in range(100):
        base = random.randrange(10_000, 32_000 - SPAN, SPAN)
        if all(is_free(base + OFFSETS[name]) for name in wanted):
            return base
    raise StackError("No free range of ports was found in 10000..32000.")
