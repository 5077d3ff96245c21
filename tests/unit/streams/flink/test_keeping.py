"""Jobs that the cluster lost are handed to it again, from their newest state, and not too soon."""

import asyncio
import itertools
from collections.abc import Mapping
from typing import cast

import pytest

from photolog.errors import StoreUnavailable
from streams.flink_cluster.keeping import JobKeeper
from streams.flink_cluster.rest import Checkpoints, FlinkRest, RunningJob

JOBS = ("one", "two")


def running(name: str, job_id: str = "a", started_ms: int = 1, *, tasks_running: int = 2) -> RunningJob:
    return RunningJob(
        name=name, job_id=job_id, state="RUNNING", started_ms=started_ms, tasks=2, tasks_running=tasks_running
    )


class Cluster:
    """Jobs that run, and what was asked of the cluster."""

    def __init__(self) -> None:
        self.running: list[RunningJob] = []
        self.cancelled: list[str] = []
        self.submitted: list[dict[str, str | None]] = []
        self.away = False

    async def jobs(self) -> list[RunningJob]:
        if self.away:
            raise StoreUnavailable("Flink: away")
        return self.running

    async def checkpoints(self, job_id: str) -> Checkpoints:
        return Checkpoints(completed=3, failed=0, restarts=1, latest=None, latest_ms=7)

    async def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)

    async def newest(self, job: str) -> str | None:
        return "file:///state" if job == "one" else None

    async def submit(self, wanted: Mapping[str, str | None]) -> None:
        self.submitted.append(dict(wanted))

    def keeper(self) -> JobKeeper:
        return JobKeeper(cast(FlinkRest, self), JOBS, self.newest, self.submit)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def test_what_never_ran_is_handed_over_at_once_and_together(cluster: Cluster) -> None:
    assert not await cluster.keeper().look()
    assert cluster.submitted == [{"one": "file:///state", "two": None}]


async def test_all_is_well_once_every_part_of_every_job_runs(cluster: Cluster) -> None:
    keeper = cluster.keeper()
    cluster.running = [running("one"), running("two", tasks_running=1)]
    assert not await keeper.look()
    cluster.running = [running("one"), running("two")]
    assert await keeper.look()
    assert cluster.submitted == []


async def test_a_job_that_was_there_is_given_time_before_it_is_brought_back(cluster: Cluster) -> None:
    keeper = cluster.keeper()
    cluster.running = [running("one"), running("two")]
    await keeper.look()
    cluster.running = [running("two")]
    looks = 0
    while not cluster.submitted:
        await keeper.look()
        looks += 1
    assert looks > 20
    assert cluster.submitted == [{"one": "file:///state"}]


async def test_one_that_does_not_stay_up_is_tried_less_and_less_often(cluster: Cluster) -> None:
    keeper = cluster.keeper()
    tries = []
    for look in range(200):
        before = len(cluster.submitted)
        await keeper.look()
        if len(cluster.submitted) > before:
            tries.append(look)
    pauses = [later - sooner for sooner, later in itertools.pairwise(tries)]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] <= 61


async def test_of_two_of_the_same_name_the_first_is_kept(cluster: Cluster) -> None:
    cluster.running = [running("one", "late", 9), running("one", "early", 3), running("two"), running("other", "x")]
    await cluster.keeper().look()
    assert cluster.cancelled == ["late"]


async def test_a_cluster_that_is_away_ends_nothing(cluster: Cluster) -> None:
    cluster.away = True
    stop, ready = asyncio.Event(), asyncio.Event()
    working = asyncio.create_task(cluster.keeper().run(stop, ready))
    await asyncio.sleep(0.01)
    cluster.away = False
    cluster.running = [running("one"), running("two")]
    await asyncio.wait_for(ready.wait(), 5)
    stop.set()
    await working
