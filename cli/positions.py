"""`photolog positions`: how far each read model has come, read from the stores and the log themselves."""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gateway.queries.positions import ModelPositions, PositionsReport, SourcePosition, positions_report
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.redis_client import connect_redis
from photolog.errors import Invalid
from photolog.log.ends import KafkaEnds
from photolog.positions import Position, parse_positions
from photolog.settings import Settings, load_settings
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.redis_feeds import RedisTimelines
from schemas.topics import TOPICS

NOT_COVERED = 3


class PositionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of one model, as `--json` prints it."""

    model: str
    covers: str | None
    source: SourcePosition


def positions(
    covers: Annotated[
        str | None, typer.Option(help="A Photolog-Position; the exit status is 3 unless every model covers it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Show how far each read model has come in each partition, and where the log ends."""
    asked = _asked(covers)
    report = asyncio.run(_report(load_settings(), asked))
    if as_json:
        for line in _lines(report):
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    else:
        Console().print(positions_table(report))
    if any(model.covers in ("no", "unknown") for model in report.models):
        raise typer.Exit(NOT_COVERED)


def positions_table(report: PositionsReport) -> Table:
    """The positions for a person to read."""
    table = Table(
        *("model", "covers", "partition", "applied below", "log ends", "lag", "dead", "parked", "outputs"),
        box=None,
        pad_edge=False,
    )
    for model in report.models:
        for source in model.sources:
            outputs = " ".join(f"{to.topic}/{to.partition}@{to.next_offset}" for to in source.outputs)
            counts = source.counts
            numbers = (source.next_offset, source.end_offset, source.lag, counts.dead, counts.parked)
            shown = ("?" if number is None else str(number) for number in numbers)
            table.add_row(model.name, model.covers or "", f"{source.topic}/{source.partition}", *shown, outputs)
    return table


def _lines(report: PositionsReport) -> list[PositionLine]:
    return [_line(model, source) for model in report.models for source in model.sources]


def _line(model: ModelPositions, source: SourcePosition) -> PositionLine:
    return PositionLine(model=model.name, covers=model.covers, source=source)


def _asked(text: str | None) -> tuple[Position, ...]:
    topics = {topic.name for topic in TOPICS}
    try:
        asked = parse_positions(text or "")
    except Invalid as error:
        raise typer.BadParameter(error.detail, param_hint="--covers") from error
    for position in asked:
        if position.topic not in topics:
            raise typer.BadParameter(f"there is no topic {position.topic}", param_hint="--covers")
    return asked


async def _report(settings: Settings, asked: tuple[Position, ...]) -> PositionsReport:
    limits = settings.limits
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        redis = connect_redis(settings.redis)
        closing.push_async_callback(redis.aclose)
        timelines = RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1_000)
        log = KafkaEnds(settings.kafka, (topic.name for topic in TOPICS))
        return await positions_report(CassandraRows(session), timelines, log, asked)
