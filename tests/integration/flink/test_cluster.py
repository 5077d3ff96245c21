"""Jobs go on where they were: from a savepoint, and when the cluster forgot them."""

import time
from pathlib import Path

import pytest

from infra.local.engines.flink.engine import JOBMANAGER, TASKMANAGER
from photolog.engines.object_store import ObjectStore
from photolog.ids import now_ms
from schemas.events import StoryViewCounted, StoryViewed
from streams.flink_cluster.pruning import prune
from streams.flink_cluster.states import states
from streams.flink_jobs import story_views
from streams.flink_jobs.catalogue import JOBS
from tests.integration.flink.verification import flink_command
from tests.integration.flink_world import FlinkWorld, eventually
from tests.integration.workers import WorkerProcess


async def see(flink: FlinkWorld, story_id: int, *viewer_ids: int) -> None:
    """Views of a story."""
    now = now_ms()
    await flink.append(
        *(
            StoryViewed(
                viewer_id=viewer_id, story_id=story_id, owner_id=7, at_ms=now, published_ms=now, expires_ms=now + 60_000
            )
            for viewer_id in viewer_ids
        )
    )


async def counted(flink: FlinkWorld, story_id: int, views: int) -> None:
    """Wait until a story's count is told, and see that it is the greatest."""

    async def told() -> list[int]:
        return [one.event.views for one in await flink.read(StoryViewCounted) if one.event.story_id == story_id]

    async def is_told() -> bool:
        return views in await told()

    await eventually(is_told)
    assert max(await told()) == views


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_a_job_goes_on_from_a_savepoint(flink: FlinkWorld, flink_environment: dict[str, str]) -> None:
    story_id = now_ms() << 20
    await see(flink, story_id, 1, 2, 3)
    await counted(flink, story_id, 3)
    before = await flink.until_up(story_views.NAME)
    saved = await flink_command(flink_environment, "savepoint", story_views.NAME)
    assert saved.returncode == 0, saved.stderr
    assert saved.stdout.strip() in {state.uri.rstrip("/") for state in await states(flink.settings, story_views.NAME)}
    restored = await flink_command(flink_environment, "restore", story_views.NAME)
    assert restored.returncode == 0, restored.stderr
    assert "/savepoints/" in restored.stdout
    assert (await flink.until_up(story_views.NAME)).job_id != before.job_id
    await see(flink, story_id, 2, 3, 4)
    await counted(flink, story_id, 4)
    listed = await flink_command(flink_environment, "jobs", "--json")
    assert listed.stdout.count('"state":"RUNNING"') == len(JOBS)
    unknown = await flink_command(flink_environment, "savepoint", "nothing")
    assert unknown.returncode == 1
    assert "there is no job nothing" in unknown.stderr


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_states_in_a_bucket(flink: FlinkWorld, flink_environment: dict[str, str]) -> None:
    bucket = flink.settings.s3.bucket
    in_bucket = flink_environment | {"PHOTOLOG_FLINK__STATE_URI": f"s3://{bucket}/states"}
    settings = flink.settings.model_copy(
        update={"flink": flink.settings.flink.model_copy(update={"state_uri": f"s3://{bucket}/states"})}
    )
    store = ObjectStore(settings.s3)
    old = [f"states/story-views/checkpoints/of-before-{number}/chk-1/_metadata" for number in range(3)]
    for key in old:
        await store.put(key, b"", "application/octet-stream")
    story_id = now_ms() << 20
    # What is in the folder is left behind: the topics are read again whole.
    assert (await flink_command(in_bucket, "restore", story_views.NAME, "--anew")).returncode == 0
    await see(flink, story_id, 1, 2, 3)
    await counted(flink, story_id, 3)
    await flink.checkpointed(story_views.NAME)
    flink.kill(TASKMANAGER)
    await see(flink, story_id, 2, 3, 4)
    await counted(flink, story_id, 4)
    assert await flink.restarts(story_views.NAME) > 0
    restored = await flink_command(in_bucket, "restore", story_views.NAME)
    assert f"s3://{bucket}/states/story-views/savepoints/" in restored.stdout, restored.stderr
    second = await flink.until_up(story_views.NAME)
    await flink.checkpointed(story_views.NAME)
    await see(flink, story_id, 3, 4, 5)
    await counted(flink, story_id, 5)
    assert await prune(settings, story_views.NAME, second.job_id, time.time() + 1, quiet_seconds=0) == 2
    assert [await store.head(key) is None for key in old].count(True) == 2
    assert second.job_id in {state.uri.split("/")[-2] for state in await states(settings, story_views.NAME)}
    assert (await flink_command(flink_environment, "restore", story_views.NAME)).returncode == 0


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_what_a_killed_jobmanager_forgot_is_handed_to_the_next(
    flink: FlinkWorld, flink_environment: dict[str, str], tmp_path: Path
) -> None:
    story_id = now_ms() << 20
    await see(flink, story_id, 1, 2)
    await counted(flink, story_id, 2)
    await flink.checkpointed(story_views.NAME)
    before = {name: (await flink.until_up(name)).job_id for name in JOBS}
    # Without ticks while it runs: they are of now, and the other tests' events of yesterday.
    calm = {**flink_environment, "PHOTOLOG_FLINK__TICK_MS": "300000", "PHOTOLOG_FLINK__GRACE_SECONDS": "1"}
    worker = WorkerProcess(("flink-worker",), calm, tmp_path / "flink-worker.log")
    try:
        worker.wait_ready()
        flink.kill(JOBMANAGER)
        await see(flink, story_id, 1, 2, 3)

        async def are_others() -> bool:
            return all([(await flink.until_up(name)).job_id != before[name] for name in JOBS])

        await eventually(are_others)
        await counted(flink, story_id, 3)
        assert worker.exits == []
    finally:
        worker.end()
