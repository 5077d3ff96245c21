"""Engines and a Flink cluster of their own for the tests of jobs.

What they append happened hours ago, and what a job reads it reads whole: other tests' events would make theirs late,
and theirs would surprise other tests. A cluster that goes on would also take the processor from whoever comes next.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra.local.home import REPOSITORY
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.settings import FlinkSettings
from schemas.registry import load_serde
from streams.flink_jobs.catalogue import JOBS
from tests.conftest import settings_from
from tests.integration.flink_world import FlinkWorld
from tests.integration.workers import without_deployment


@pytest.fixture(scope="package")
def flink_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("flink-engines"), pick_free_port_base(), engines_only=True) as engines:
        yield engines


@pytest.fixture(scope="package")
def flink_cluster(flink_engines: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack.flink_over(flink_engines, tmp_path_factory.mktemp("flink")) as cluster:
        yield cluster


@pytest.fixture(scope="package")
def flink_environment(flink_engines: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The engines' keys, once topics and schemas are there, with a place for the state of the jobs."""
    state: Path = tmp_path_factory.mktemp("flink-state")
    own = {
        "PHOTOLOG_FLINK__STATE_URI": state.as_uri(),
        "PHOTOLOG_FLINK__CHECKPOINT_MS": "1000",
        # Each part of a job sees some of the partitions, and none the time of all.
        "PHOTOLOG_FLINK__PARALLELISM": "2",
    }
    environment = dict(flink_engines.environment()) | own
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


@pytest.fixture(scope="package")
async def flink(flink_cluster: Stack, flink_environment: dict[str, str]) -> AsyncIterator[FlinkWorld]:
    """The cluster, with every job running."""
    settings = settings_from(flink_environment)
    own = FlinkSettings(
        rest_url=flink_environment["PHOTOLOG_FLINK__REST_URL"],
        state_uri=flink_environment["PHOTOLOG_FLINK__STATE_URI"],
    )
    world = FlinkWorld(flink_cluster, settings.model_copy(update={"flink": own}), load_serde(settings.registry))
    with pytest.MonkeyPatch.context() as patch:
        for key, value in flink_environment.items():
            patch.setenv(key, value)
        await world.start(*JOBS)
    yield world
    await world.rest.aclose()
