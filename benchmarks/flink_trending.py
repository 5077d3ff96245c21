"""Trending hashtags: the job on this machine against Polars, which computes the same windows over them in memory.

The topic holds all uses when the job is handed over. The clock runs from when all of it runs until the last window is
told: handing it over takes Flink's client many seconds, once, and a job then runs for months. Both sides use all cores.

What a use costs depends on how many there are to a list, as each window tells how many people used each hashtag. So as
many uses come within one hour, and within six.
"""

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

import msgspec
import polars as pl
from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.engines import migrated_engines_stack
from benchmarks.feed_gateway import stack_settings
from benchmarks.flink_cluster import BenchCluster, bench_cluster
from benchmarks.result import Result, paired
from photolog.ids import new_event_id, now_ms
from photolog.log.bulk import Appended, BulkProducer
from photolog.log.ends import read_current_ends
from photolog.log.kafka_config import client_config
from photolog.log.record import event_headers
from photolog.settings import Settings
from schemas.events import HashtagUsed
from schemas.registry import load_serde
from schemas.serde import Serde
from schemas.topics import HASHTAG_TRENDS, HASHTAG_USES
from streams.flink_jobs import trending

_USES = 400_000
_PEOPLE = 20_000
_TAGS = 5_000
_CELLS = ("", "u33d", "gcpv", "9q8y", "xn76")
_HOUR_MS = 3_600_000
_SPANS_HOURS = (1, 6)
_AT_ONCE = 20_000
_POLL_SECONDS = 0.05
_SECONDS_MAX = 300.0


def run(rounds: int = 5) -> list[Result]:
    """Uses a second."""
    with migrated_engines_stack("trending") as engines, tempfile.TemporaryDirectory(prefix="photolog-flink-") as folder:
        environment = engines.environment()
        cores = str(os.cpu_count() or 1)
        # Flink's client reads where everything is from this process's environment.
        os.environ.update(environment | {"PHOTOLOG_FLINK__PARALLELISM": cores})
        settings = stack_settings(environment)
        with asyncio.Runner() as runner:
            opened = bench_cluster(engines, settings, Path(folder))
            cluster = runner.run(opened.__aenter__())
            try:
                return [_measure(runner, cluster, settings, rounds, hours) for hours in _SPANS_HOURS]
            finally:
                runner.run(opened.__aexit__(None, None, None))


def _measure(runner: asyncio.Runner, cluster: BenchCluster, settings: Settings, rounds: int, hours: int) -> Result:
    span_ms = hours * _HOUR_MS
    uses = _drawn(random.Random(7), now_ms() - span_ms - 2 * trending.WINDOW_MS, span_ms)
    runner.run(_append(settings, load_serde(settings.registry), uses))
    frame = pl.DataFrame([msgspec.structs.asdict(use) for use in uses])
    lists = _ranked(frame).select("scope", "window_end").unique().height

    def ours() -> float:
        return _USES / runner.run(_told(cluster, settings, lists))

    def theirs() -> float:
        begun = time.perf_counter()
        _ranked(frame)
        return _USES / (time.perf_counter() - begun)

    return paired(
        f"trending, uses within {hours} h", "uses/s", ours, theirs, opponent_name="Polars, in memory", aim=None,
        rounds=rounds, note=f"{_USES:,} uses, {lists} lists; aim 30,000 uses/s",
    )  # fmt: skip


async def _told(cluster: BenchCluster, settings: Settings, lists: int) -> float:
    """Seconds from when the job runs until it told so many lists."""
    ends = read_current_ends(settings.kafka)

    async def told() -> int:
        return sum((await ends([HASHTAG_TRENDS.name])).values())

    before = await told()
    await cluster.start(trending.NAME)
    begun = time.perf_counter()
    while await told() < before + lists:
        assert time.perf_counter() - begun < _SECONDS_MAX, "the job does not tell every list"
        await asyncio.sleep(_POLL_SECONDS)
    seconds = time.perf_counter() - begun
    await cluster.cancel(trending.NAME)
    return seconds


def _drawn(draw: random.Random, start_ms: int, span_ms: int) -> list[HashtagUsed]:
    return [
        HashtagUsed(
            post_id=number,
            owner_id=draw.randrange(_PEOPLE),
            hashtag=f"tag{min(int(draw.expovariate(1 / 600)), _TAGS)}",
            coarse_cell=draw.choice(_CELLS),
            at_ms=start_ms + number * span_ms // _USES - draw.randrange(5_000),
        )
        for number in range(_USES)
    ]


async def _append(settings: Settings, serde: Serde, uses: list[HashtagUsed]) -> None:
    """Have the topic hold these, and nothing of before."""
    await asyncio.to_thread(_emptied, settings)
    producer = BulkProducer(settings.kafka)
    partitions = settings.kafka.partitions
    last_ms = uses[-1].at_ms + 2 * trending.WINDOW_MS
    closing = [HashtagUsed(post_id=0, owner_id=0, hashtag="", coarse_cell="", at_ms=last_ms) for _ in range(partitions)]
    for begin in range(0, len(uses), _AT_ONCE):
        await producer.append([_record(serde, use, None) for use in uses[begin : begin + _AT_ONCE]])
    await producer.append([_record(serde, use, number) for number, use in enumerate(closing)])


def _emptied(settings: Settings) -> None:
    admin = AdminClient(client_config(settings.kafka))
    ends = [TopicPartition(HASHTAG_USES.name, partition, OFFSET_END) for partition in range(settings.kafka.partitions)]
    for deleted in admin.delete_records(ends).values():
        deleted.result(_SECONDS_MAX)


def _record(serde: Serde, use: HashtagUsed, partition: int | None) -> Appended:
    headers = event_headers(new_event_id(), use.type, use.at_ms, "bench")
    return Appended(
        HASHTAG_USES.name, partition, HASHTAG_USES.key(use).encode(), serde.encode(use, lambda _: None), headers,
        use.at_ms,
    )  # fmt: skip


def _ranked(uses: pl.DataFrame) -> pl.DataFrame:
    """The same lists as the job's, at once."""
    slide, window = trending.SLIDE_MS, trending.WINDOW_MS
    scoped = pl.concat(
        [
            uses.with_columns(scope=pl.lit(trending.WORLD)),
            uses.filter(pl.col("coarse_cell") != "").with_columns(scope=pl.col("coarse_cell")),
        ]
    )
    first = (pl.col("at_ms") // slide + 1) * slide
    people = (
        scoped.lazy()
        .select("scope", "hashtag", "owner_id", window_end=pl.int_ranges(first, first + window, slide))
        .explode("window_end")
        .group_by("scope", "window_end", "hashtag")
        .agg(people=pl.col("owner_id").n_unique())
    )
    return (
        people.sort(["people", "hashtag"], descending=[True, False])
        .group_by("scope", "window_end", maintain_order=True)
        .head(trending.TOP)
        .collect()
    )
