"""One Flink cluster for all tests of jobs, beside the engines of the run."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra.local.stack import Stack
from photolog.settings import FlinkSettings, Settings
from schemas.registry import load_serde
from streams.flink_jobs.catalogue import JOBS
from tests.integration.flink_world import FlinkWorld


@pytest.fixture(scope="session")
def flink_cluster(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack.flink_over(stack, tmp_path_factory.mktemp("flink")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def flink_environment(migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The stack's keys, with a place for the state of this run's jobs."""
    state: Path = tmp_path_factory.mktemp("flink-state")
    return {**migrated, "PHOTOLOG_FLINK__STATE_URI": state.as_uri(), "PHOTOLOG_FLINK__CHECKPOINT_MS": "1000"}


@pytest.fixture(scope="session")
async def flink(
    flink_cluster: Stack, flink_environment: dict[str, str], settings: Settings
) -> AsyncIterator[FlinkWorld]:
    """The cluster, with every job running."""
    own = FlinkSettings(
        rest_url=flink_environment["PHOTOLOG_FLINK__REST_URL"],
        state_uri=flink_environment["PHOTOLOG_FLINK__STATE_URI"],
    )
    world = FlinkWorld(flink_cluster, settings.model_copy(update={"flink": own}), load_serde(settings.registry))
    with pytest.MonkeyPatch.context() as patch:
        for key, value in flink_environment.items():
            patch.setenv(key, value)
        # What is there is of today, and would make what the tests append of yesterday late.
        for job in JOBS.values():
            for event in job.reads:
                await world.empty(event)
        await world.start(*JOBS)
    yield world
    await world.rest.aclose()
