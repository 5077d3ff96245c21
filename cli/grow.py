"""`photolog grow`: give a topic more partitions without losing the order of any key."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from gateway.queries.positions import positions_report
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.redis_client import connect_redis
from photolog.log.ends import KafkaEnds
from photolog.log.growing import Growing, Patience
from photolog.log.growths import CassandraGrowths
from photolog.log.kafka_config import METADATA_MS
from photolog.log.topic_admin import TopicAdmin
from photolog.settings import Settings, load_settings
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.redis_feeds import RedisTimelines
from schemas.topics import TOPICS

_SLACK_SECONDS = 2.0


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """A step that is done, as `--json` prints it."""

    topic: str
    step: str
    detail: str


def grow(
    topic: Annotated[str, typer.Argument(help="The topic's name.")],
    partitions: Annotated[int, typer.Option(min=2, max=4_096, help="How many it shall have.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    drain_seconds: Annotated[
        float, typer.Option(min=0, max=3_600, help="How long to wait for jobs that are behind.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Give a topic more partitions.

    Appends to it are refused for some ten seconds: commands answer 503 with Retry-After, jobs wait. Killed at any
    moment, it is run again with the same words and goes on; until then the topic may stay closed.
    """
    if topic not in {known.name for known in TOPICS}:
        raise typer.BadParameter(f"there is no topic {topic}", param_hint="TOPIC")
    asyncio.run(_run(load_settings(), topic, partitions, dry_run, drain_seconds, _reporter(topic, as_json)))


def _reporter(topic: str, as_json: bool) -> Callable[[str, str], None]:
    console = Console(highlight=False)

    def report(step: str, detail: str) -> None:
        if as_json:
            sys.stdout.write(msgspec.json.encode(StepLine(topic=topic, step=step, detail=detail)).decode() + "\n")
            sys.stdout.flush()
        else:
            console.print(f"{topic}: {step}: {detail}", markup=False, soft_wrap=True)

    return report


async def _run(
    settings: Settings,
    topic: str,
    partitions: int,
    dry_run: bool,
    drain_seconds: float,
    report: Callable[[str, str], None],
) -> None:
    limits = settings.limits
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        timelines = RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1_000)
        rows, log = CassandraRows(session), KafkaEnds(settings.kafka, [topic])

        async def lag() -> int:
            found = await positions_report(rows, timelines, log)
            return max(
                (one.lag or 0 for model in found.models for one in model.sources if one.topic == topic), default=0
            )

        settle_seconds = (settings.kafka.append_timeout_ms + 3 * METADATA_MS) / 1_000 + _SLACK_SECONDS
        patience = Patience(drain_seconds=drain_seconds, settle_seconds=settle_seconds)
        broker, ledger = TopicAdmin(settings.kafka, topic), CassandraGrowths(session)
        growing = Growing(topic, partitions, broker, ledger, lag, report, patience)
        if dry_run:
            row = await growing.plan()
            report("plan", f"epoch {row.epoch}: from {row.before} to {row.after} partitions, from step {row.state}")
            report(
                "plan",
                f"the slowest job is {await lag()} records behind; appends are refused for {settle_seconds:.0f} s",
            )
        else:
            await growing.run()
