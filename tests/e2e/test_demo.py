"""What a newcomer does, as they do it: the demo on a stack of its own, and a look around while it is up."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from infra.local.home import REPOSITORY
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
READER = "uma_petr2"
PASSWORD = "a demo is no secret"
STOP_SECONDS = 120
TOUR = "<!-- the tour"
ANALYSTS = "<!-- the analysts' tour"
STORIES = "<!-- the stories' tour"


class RunningDemo:
    """`photolog demo` in a home of its own, up until it is interrupted.

    Args:
        home: an empty folder.
    """

    def __init__(self, home: Path) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PHOTOLOG_")}
        self.environment = kept | {"PHOTOLOG_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
        self.home = home
        self.port_base = str(pick_free_port_base())
        arguments = ("--accounts", "14", "--celebrity-threshold", "5", "--port-base", self.port_base, "--json")
        self.process = subprocess.Popen(
            self._command("demo", *arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.lines: list[dict[str, Any]] = []

    def live(self) -> None:
        """Return once everything was checked."""
        self.lines = list(self._until("end", 1))

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command in the same home."""
        return subprocess.run(
            self._command(*arguments), env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=STOP_SECONDS)
        return self.process.returncode

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli.app", *arguments]

    def _until(self, kind: str, count: int) -> Iterator[dict[str, Any]]:
        """What it tells, up to so many lines of one kind."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            line = json.loads(text)
            yield line
            count -= line["kind"] == kind
            if count == 0:
                return
        assert self.process.stderr is not None
        raise AssertionError(self.process.stderr.read().decode()[-4_000:])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The demo, lived and checked, and still up."""
    running = RunningDemo(tmp_path_factory.mktemp("demo"))
    try:
        running.live()
        yield running
    finally:
        if running.process.poll() is None:
            running.interrupt()
        Stack(running.home, pick_free_port_base()).stop()


def test_everything_expected_appears(demo: RunningDemo) -> None:
    checks = [line for line in demo.lines if line["kind"] == "check"]
    assert [(check["title"], check["failures"]) for check in checks if check["failures"]] == []
    assert all(check["count"] > 0 for check in checks)
    assert demo.lines[-1] == {"kind": "end", "checks": len(checks), "failed": 0}
    titles = {check["title"] for check in checks}
    assert titles >= {"Flink: every job runs", "Flink: who saw a story is counted", "trays: what was played is seen"}


def test_latency_is_told_from_publication_and_from_the_post(demo: RunningDemo) -> None:
    told = {line["of"]: line for line in demo.lines if line["kind"] == "latency"}
    assert len(told) == 2
    for line in told.values():
        assert 0 <= line["p50_ms"] <= line["p99_ms"]


def test_a_newcomer_uploads_a_photograph_as_someone_of_the_demo(demo: RunningDemo, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.new("RGB", (800, 500), "teal").save(picture)
    done = demo.run("upload", str(picture), "--username", READER, "--password", PASSWORD, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["width"], told["height"]) == ("ready", 800, 500)


def test_a_file_that_is_no_picture_is_refused_in_words(demo: RunningDemo, tmp_path: Path) -> None:
    page = tmp_path / "page.jpg"
    page.write_text("<html>no picture</html>" * 9)
    done = demo.run("upload", str(page), "--username", READER, "--password", PASSWORD)
    assert done.returncode == 1
    assert "not a JPEG, PNG or HEIC" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_password_is_told_in_words(demo: RunningDemo, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.new("RGB", (8, 5)).save(picture)
    done = demo.run("upload", str(picture), "--username", READER, "--password", "a wrong password")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_feed_answers_to_curl(demo: RunningDemo) -> None:
    address = _address(demo.home)
    tokens = httpx.post(f"{address}/v1/sessions", json={"username": READER, "password": PASSWORD}).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    page = httpx.get(f"{address}/v1/feed?limit=3", headers=headers)
    assert page.status_code == 200
    assert set(page.json()) == {"items", "next_cursor", "complete", "degraded", "reasons"}


def test_the_readmes_tour_works_line_by_line(demo: RunningDemo, tmp_path: Path) -> None:
    told = _toured(demo, TOUR, tmp_path)
    assert '"username":"ansel"' in told
    assert '"next_cursor":null' in told


def test_the_stories_tour_works_line_by_line(demo: RunningDemo, tmp_path: Path) -> None:
    told = _toured(demo, STORIES, tmp_path)
    assert '"text":"Viewed by @paul"' in told
    assert '"text":"Where is this?"' in told
    assert '"reaction":"😍"' in told
    assert '"title":"By the sea"' in told
    assert '"scope":"world"' in told


def test_the_analysts_tour_works_line_by_line(demo: RunningDemo, tmp_path: Path) -> None:
    told = _toured(demo, ANALYSTS, tmp_path)
    assert '"form":"account","meaning":"its author"' in told
    assert '"type":"post.published"' in told
    assert "trend lab" in told


def test_a_second_demo_in_the_same_home_says_what_to_do(demo: RunningDemo) -> None:
    done = demo.run("demo", "--accounts", "12", "--exit")
    assert done.returncode == 1
    assert "already up" in done.stderr
    assert demo.process.poll() is None


def test_ctrl_c_stops_everything_and_leaves_no_process(demo: RunningDemo) -> None:
    address = _address(demo.home)
    assert demo.interrupt() == 0
    assert not Stack(demo.home, pick_free_port_base()).pids
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/healthz")


def _toured(demo: RunningDemo, marker: str, folder: Path) -> str:
    """What the commands of a tour in the README print; `photo.jpg` is a picture in a folder."""
    picture = folder / "photo.jpg"
    Image.new("RGB", (900, 1_600), "teal").save(picture)
    tour = (REPOSITORY / "README.md").read_text().partition(marker)[2].split("```")[1].removeprefix("sh\n")
    # The analysts' tour reads a stream for five seconds, which ends with a status of its own.
    script = ("" if marker == ANALYSTS else "set -euo pipefail\n") + tour
    script = script.replace(".photolog/local.env", str(demo.home / "local.env")).replace("photo.jpg", str(picture))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=REPOSITORY,
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "/problems/" not in done.stdout
    return done.stdout


def _address(home: Path) -> str:
    text = (home / "local.env").read_text()
    line = next(line for line in text.splitlines() if line.startswith("PHOTOLOG_GATEWAY__PUBLIC_URL="))
    return line.partition("=")[2].strip("'\"")
