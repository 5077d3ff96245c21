"""What integration tests share beside the engines: what `migrate` makes, two workers, a hand on the stores."""

import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.home import REPOSITORY
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.ids import SnowflakeSource, random_node
from photolog.settings import Settings
from streams.bootstrap import connect_generations
from tests.integration.fault_world import FaultWorld, founded
from tests.integration.workers import Hand, WorkerProcess, wait_serving, without_deployment

LOG_TAIL_CHARACTERS = 4_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the worker processes of the test said last."""
    report = yield
    if report.failed:
        used = getattr(item, "funcargs", {}).values()
        for found in used:
            for process in found if isinstance(found, list) else [found]:
                if isinstance(process, WorkerProcess):
                    said = process.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
                    report.sections.append((f"{process.log.name}, exits {process.exits}", said))
    return report


@pytest.fixture(scope="session")
def migrated(stack: Stack) -> dict[str, str]:
    """The stack's keys, once topics, tables, schemas and bucket are there."""
    # Killed workers are missed as soon as brokers allow, and new partitions are soon seen.
    hurried = {"PHOTOLOG_KAFKA__SESSION_SECONDS": "6", "PHOTOLOG_KAFKA__METADATA_SECONDS": "2"}
    environment = dict(stack.environment()) | hurried
    done = subprocess.run(
        [sys.executable, "-m", "cli.app", "migrate"],
        cwd=REPOSITORY,
        env={**without_deployment(), **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.fixture(scope="session")
def workers(migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[WorkerProcess]]:
    """Two workers, who share the partitions."""
    folder = tmp_path_factory.mktemp("workers")
    started = [
        WorkerProcess(("worker", "--index", str(index)), migrated, folder / f"worker-{index}.log") for index in range(2)
    ]
    try:
        for worker in started:
            worker.wait_ready()
        yield started
    finally:
        for worker in started:
            worker.end()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the transcode worker puts videos that it works on."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def transcoder(
    migrated: dict[str, str], moderator: WorkerProcess, scratch: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WorkerProcess]:
    """A transcode worker that hurries. There is one, so that whoever kills it knows that it had the work. What it makes
    waits for the moderation worker's verdict."""
    assert moderator
    hurry = {"PHOTOLOG_TRANSCODE__H264_PRESET": "superfast", "PHOTOLOG_TRANSCODE__AV1_PRESET": "13"}
    log = tmp_path_factory.mktemp("transcoder") / "transcode-worker.log"
    started = WorkerProcess(("transcode-worker", "--decoders", "2"), migrated | hurry | {"TMPDIR": str(scratch)}, log)
    try:
        started.wait_ready()
        yield started
    finally:
        started.end()


@pytest.fixture(scope="session")
def moderator(migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A moderation worker with the block-list and one more classifier, to which tests speak by what they upload."""
    plugged = {"PHOTOLOG_MODERATION__CLASSIFIERS": '["tests.integration.colour_classifier:colours"]'}
    log = tmp_path_factory.mktemp("moderator") / "moderation-worker.log"
    started = WorkerProcess(("moderation-worker",), migrated | plugged, log)
    try:
        started.wait_ready()
        yield started
    finally:
        started.end()


@pytest.fixture(scope="session")
async def hand(migrated: dict[str, str], settings: Settings) -> AsyncIterator[Hand]:
    """Stores and log, beside the workers."""
    async with connect_generations(settings) as connected:
        timelines: Any = connected.live.timelines
        ids = SnowflakeSource(random_node())
        yield Hand(connected.live, settings, ids, connected.session, timelines._runner.client)


@pytest.fixture(scope="session")
def hasty_gateway(
    workers: list[WorkerProcess], migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A gateway process that does not wait long for an engine, for people whose sessions last."""
    assert workers
    port = pick_free_port_base()
    address = f"http://127.0.0.1:{port}"
    environment = migrated | {
        "PHOTOLOG_GATEWAY__PORT": str(port),
        "PHOTOLOG_GATEWAY__PUBLIC_URL": address,
        "PHOTOLOG_KAFKA__APPEND_TIMEOUT_MS": "2000",
        "PHOTOLOG_CASSANDRA__REQUEST_TIMEOUT_MS": "2000",
        "PHOTOLOG_LIMITS__ACCESS_TOKEN_SECONDS": "3600",
    }
    process = WorkerProcess(("gateway",), environment, tmp_path_factory.mktemp("hasty") / "gateway.log")
    try:
        wait_serving(address)
        yield address
    finally:
        process.end()


@pytest.fixture(scope="session")
async def town(hasty_gateway: str, hand: Hand, pytestconfig: pytest.Config) -> AsyncIterator[FaultWorld]:
    """People who act while something is broken, by the seed that every run of the tests prints."""
    seed = int(pytestconfig.getoption("--hypothesis-seed"))
    async with founded(hasty_gateway, hand, seed) as world:
        yield world
