"""Whether a job told what it should have: a bounded run over what its topics held, against what is in its own topic.

Windows count up to the last one that was told whole, and from the first of which everything is still there. The bounded
run reads the topics up to a point that the job has passed, and leaves out the records that the job found late by then.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from photolog.errors import PositionTimeout
from photolog.ids import new_event_id, now_ms
from photolog.log.group_offsets import GroupLag
from photolog.log.producer import LogProducer
from photolog.log.record import EncodedRecord, event_headers
from photolog.log.slices import Slice, SliceReader
from photolog.settings import Settings
from schemas.events import Event, EventCameLate
from schemas.serde import SCHEMAS, Serde
from streams.flink_cluster.comparing import JobVerdict, compare, newest_told
from streams.flink_cluster.submission import run_program
from streams.flink_jobs.catalogue import Job, group_of
from streams.flink_jobs.recomputing import End, Recomputation, results_in

_PAUSE_SECONDS = 0.3
_PROGRAM = Path(__file__).parents[1] / "flink_jobs" / "recompute.py"


async def verify_job(settings: Settings, serde: Serde, job: Job, java_home: Path, wait_seconds: float) -> JobVerdict:
    """Compare what a job told with what a bounded run finds.

    Args:
        settings: where everything is.
        serde: the codec.
        job: which one.
        java_home: a Java for Flink's client.
        wait_seconds: how long the job may take to come to where its topics end.

    Raises:
        PositionTimeout: the job did not come there in time.
        LogUnavailable: no broker answered.
        StoreUnavailable: the cluster did not run it.
    """
    topics = [SCHEMAS[event].topic.name for event in job.reads]
    told_topic = SCHEMAS[job.writes[0]].topic.name
    async with SliceReader(settings.kafka) as reader:
        before = newest_told(await _events(reader, serde, told_topic))
        slices = [one for topic in topics for one in await reader.whole(topic)]
        since_ms = await _complete_since(reader, serde, slices)
        await _passed(settings, job, topics, slices, wait_seconds)
        late_slices = await reader.whole(SCHEMAS[EventCameLate].topic.name)
        late = [
            one for one in await _events(reader, serde, late_slices[0].topic) if getattr(one, "job", "") == job.name
        ]
        after = newest_told(await _events(reader, serde, told_topic))
    ends = [End(one.topic, one.partition, one.end or 0) for one in (*slices, *late_slices)]
    found = await _recomputed(settings, Recomputation(job=job.name, ends=ends), java_home)
    verdict = JobVerdict(late=len(late))
    compare(verdict, job.name, before, after, found, since_ms)
    return verdict


async def append_again(settings: Settings, serde: Serde, events: Sequence[Event]) -> None:
    """Append results as a job would have: they take the place of what was told of the same. Raises LogUnavailable."""
    log = LogProducer(settings.kafka)
    await log.start()
    try:
        await log.append_all([_record(serde, event) for event in events])
    finally:
        await log.close()


def _record(serde: Serde, event: Event) -> EncodedRecord:
    topic, at_ms = SCHEMAS[type(event)].topic, now_ms()
    headers = event_headers(new_event_id(), event.type, at_ms, "flink-verify")
    value = serde.encode(event, lambda _: None)
    return EncodedRecord(
        topic=topic.name, key=topic.key(event).encode(), value=value, headers=headers, timestamp_ms=at_ms
    )


async def _events(reader: SliceReader, serde: Serde, topic: str) -> list[Event]:
    found = []
    async for batch in reader.read(await reader.whole(topic)):
        found += [serde.open_record(serde.parse(record.value), lambda _: None) for record in batch.records]
    return found


async def _complete_since(reader: SliceReader, serde: Serde, slices: Sequence[Slice]) -> int:
    """From when on all is still there, Unix ms: nothing is missing where a partition begins with its first record."""
    since_ms = 0
    for one in slices:
        if one.begin == 0 or one.begin == one.end:
            continue
        async for batch in reader.read([Slice(one.topic, one.partition, one.begin, one.begin + 1)]):
            for record in batch.records:
                event: Any = serde.open_record(serde.parse(record.value), lambda _: None)
                since_ms = max(since_ms, event.at_ms)
    return since_ms


async def _passed(
    settings: Settings, job: Job, topics: Sequence[str], slices: Sequence[Slice], wait_seconds: float
) -> None:
    """Wait until a checkpoint of the job holds everything up to the slices' ends; what comes of it is told by then."""
    lag = GroupLag(settings.kafka)
    goal = {one.place: one.end or 0 for one in slices}
    deadline = time.monotonic() + wait_seconds
    while True:
        committed = await lag.committed(group_of(job.name))
        behind = {place for place, end in goal.items() if committed.get(place, 0) < end}
        if not behind:
            return
        if time.monotonic() > deadline:
            raise PositionTimeout(f"{job.name} did not come to the end of {', '.join(topics)} in {wait_seconds:.0f} s")
        await asyncio.sleep(_PAUSE_SECONDS)


def _is_of(event: Event, job: Job) -> bool:
    return isinstance(event, EventCameLate) and event.job == job.name


def _position(late: Event) -> tuple[str, int, int]:
    assert isinstance(late, EventCameLate)
    return late.source_topic, late.source_partition, late.source_offset


async def _recomputed(settings: Settings, plan: Recomputation, java_home: Path) -> Sequence[Event]:
    with tempfile.TemporaryDirectory(prefix="photolog-recompute-") as folder:
        plan_file, results = Path(folder) / "plan.json", Path(folder) / "results.jsonl"
        plan_file.write_bytes(msgspec.json.encode(plan))
        await run_program(settings, _PROGRAM, [str(plan_file), str(results)], java_home, detached=False)
        with results.open("rb") as lines:
            return results_in(plan.job, lines)
