"""Worker processes end when they are told to, also while the engines that they connect to do not answer."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.stack import Stack

ROOT = Path(__file__).parents[3]


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


@pytest.mark.parametrize("command", ["worker", "leaving-worker", "transcode-worker"])
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_waits_for_an_engine_ends_when_it_is_told_to(
    command: str, told: signal.Signals, silent: socket.socket, tmp_path: Path
) -> None:
    environment = {
        **Stack(tmp_path, 20_000, engines_only=True).environment(),
        "PHOTOLOG_CASSANDRA__HOSTS": '["127.0.0.1"]',
        "PHOTOLOG_CASSANDRA__PORT": str(silent.getsockname()[1]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        connected, _ = silent.accept()
        with connected:
            process.send_signal(told)
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output.decode()
    finally:
        process.kill()
