"""Flink's jobs as lines of `status`."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from infra.local.status import flink_jobs


def job(name: str, state: str, running: int, *, ended: bool = False) -> dict[str, Any]:
    tasks = {"total": 2, "running": running, "finished": 0}
    return {"name": name, "state": state, "end-time": 9 if ended else -1, "tasks": tasks}


@pytest.fixture
def answered() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The port of an interface, and the jobs that it answers with."""
    jobs: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"jobs": jobs}).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port, jobs
    server.shutdown()
    serving.join()
    server.server_close()


def test_a_job_is_ready_once_all_of_it_runs_and_gone_once_it_ended(
    answered: tuple[int, list[dict[str, Any]]],
) -> None:
    port, jobs = answered
    jobs += [job("one", "RUNNING", 2), job("two", "RESTARTING", 0), job("three", "RUNNING", 1)]
    jobs.append(job("four", "FAILED", 0, ended=True))
    found = {line.name: line for line in flink_jobs(port)}
    assert {name: line.ready for name, line in found.items()} == {"job one": True, "job two": False, "job three": False}
    assert found["job two"].reason == "RESTARTING, 0 of 2 tasks run"


def test_a_cluster_that_does_not_answer_has_no_lines() -> None:
    assert flink_jobs(1) == []
