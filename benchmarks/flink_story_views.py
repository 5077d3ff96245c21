"""How long a view of a story takes from the log to where its owner sees the count: Flink, its topic, a worker, the row.

There is no opponent; the aim is two seconds for ninety-nine in a hundred.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.engines import migrated_engines_stack
from benchmarks.feed_gateway import stack_settings
from benchmarks.flink_cluster import BenchCluster, bench_cluster
from benchmarks.result import Result
from infra.local.stack import Stack
from photolog.ids import new_event_id, now_ms
from photolog.log.producer import LogProducer
from photolog.log.record import EncodedRecord, event_headers
from photolog.settings import Settings
from projections.story_views import STORY_VIEWS
from schemas.events import StoryViewed
from schemas.topics import STORY_VIEWS as TOPIC
from streams.bootstrap import connect
from streams.flink_jobs import story_views
from streams.jobs import JobResources

_VIEWS = 300
_APART_SECONDS = 0.05
_POLL_SECONDS = 0.01
_SECONDS_MAX = 60.0
_AIM_MS = 2_000.0


def run(rounds: int = 5) -> list[Result]:
    """Milliseconds, the greatest but one in a hundred of each round."""
    with migrated_engines_stack("views") as engines, tempfile.TemporaryDirectory(prefix="photolog-flink-") as folder:
        environment = engines.environment()
        # Flink's client reads where everything is from this process's environment.
        os.environ.update(environment)
        with _worker(Path(folder)):
            return [asyncio.run(_measure(stack_settings(environment), engines, Path(folder), rounds))]


@contextmanager
def _worker(folder: Path) -> Iterator[None]:
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "cli.app", "worker"], stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


async def _measure(settings: Settings, engines: Stack, folder: Path, rounds: int) -> Result:
    async with bench_cluster(engines, settings, folder) as cluster, connect(settings) as resources:
        return await _rounds(cluster, resources, settings, rounds)


async def _rounds(cluster: BenchCluster, resources: JobResources, settings: Settings, rounds: int) -> Result:
    await cluster.start(story_views.NAME)
    log = LogProducer(settings.kafka)
    await log.start()
    try:
        await _round(resources, log)  # what is compiled and connected at first use is so once
        found = [await _round(resources, log) for _ in range(rounds)]
    finally:
        await log.close()
    worst = [_percentile(one, 99) for one in found]
    middle = statistics.median(_percentile(one, 50) for one in found)
    ratios = [_AIM_MS / one for one in worst]
    return Result(
        "story view to count", "ms, p99", statistics.median(worst), _AIM_MS, "ms, the aim", statistics.median(ratios),
        (min(ratios), max(ratios)), 1.0,
        f"p50 {middle:,.0f} ms, p99 {min(worst):,.0f} to {max(worst):,.0f} ms; {_VIEWS} views a round",
    )  # fmt: skip


async def _round(resources: JobResources, log: LogProducer) -> list[float]:
    first = now_ms() << 20
    async with asyncio.TaskGroup() as group:
        waiting = []
        for number in range(_VIEWS):
            waiting.append(group.create_task(_seen(resources, log, first + number)))
            await asyncio.sleep(_APART_SECONDS)
    return [task.result() for task in waiting]


async def _seen(resources: JobResources, log: LogProducer, story_id: int) -> float:
    """Milliseconds from when a view is acknowledged until its story's row has it."""
    now = now_ms()
    view = StoryViewed(
        viewer_id=5, story_id=story_id, owner_id=7, at_ms=now, published_ms=now, expires_ms=now + 3_600_000
    )
    headers = event_headers(new_event_id(), view.type, now, "bench")
    value = resources.serde.encode(view, lambda _: None)
    await log.append_all(
        [EncodedRecord(topic=TOPIC.name, key=TOPIC.key(view).encode(), value=value, headers=headers, timestamp_ms=now)]
    )
    begun = time.perf_counter()
    while await resources.rows.get(STORY_VIEWS.key(story_id)) is None:
        assert time.perf_counter() - begun < _SECONDS_MAX, "the count does not come"
        await asyncio.sleep(_POLL_SECONDS)
    return (time.perf_counter() - begun) * 1_000


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]
