"""`photolog export`: the log as Parquet files in the bucket, each event once."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from analytics.bootstrap import connect_export
from analytics.exporting import Bounds, Exporter
from analytics.tally import Tally
from cli.export_progress import ExportProgress
from cli.log_options import TIME_HELP, moment_ms
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.topics import topic_of


class ExportLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was done of one type, as `--json` prints it; the numbers are those of `analytics.tally`."""

    type: str
    topic: str
    events: int
    files: int
    size_bytes: int
    repeats: int


class BesideLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic held that is in no file, as `--json` prints it; the numbers are those of `analytics.tally`."""

    topic: str
    undecodable: int
    misplaced: int
    lost: int


def export(
    types: Annotated[str | None, typer.Option(help="Event types with commas; else all.")] = None,
    until: Annotated[
        str | None,
        typer.Option(help=f"End in each partition before its first record of this time or later. {TIME_HELP}"),
    ] = None,
    skip_lost: Annotated[
        bool, typer.Option("--skip-lost", help="Go on behind what the log lost before it was exported.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Write the log to Parquet files in the bucket: events/type=…/hour=…/, each event once, up to where it ends now.

    Interrupted anywhere, the same command goes on, and several at once do no harm. Personal fields are in no file.
    """
    wanted = _types(types)
    until_ms = moment_ms(until, "--until")
    settings = load_settings()
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    tally = Tally()
    try:
        asyncio.run(_run(settings, wanted, until_ms, skip_lost, tally))
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; the same command goes on.\n")
        _tell(tally, wanted, as_json)
        raise typer.Exit(130) from None
    _tell(tally, wanted, as_json)


async def _run(
    settings: Settings, wanted: list[type[Event]], until_ms: int | None, skip_lost: bool, tally: Tally
) -> None:
    progress = ExportProgress(Console(stderr=True))
    async with connect_export(settings) as ports:
        bounds = Bounds(settings.analytics.export_records, settings.analytics.export_bytes)
        exporter = Exporter(ports, tally, bounds, skip_lost=skip_lost, report=progress.report)
        with progress.shown():
            await exporter.run(wanted, until_ms)


def _types(text: str | None) -> list[type[Event]]:
    known = {event.type: event for event in SCHEMAS}
    if text is None:
        return list(SCHEMAS)
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - known.keys())
    if unknown or not names:
        raise typer.BadParameter(
            f"there is no event type {unknown[0] if unknown else 'in it'}; there are {', '.join(known)}",
            param_hint="--types",
        )
    return [event for name, event in known.items() if name in names]


def _lines(tally: Tally, wanted: list[type[Event]]) -> Iterator[ExportLine]:
    for event in wanted:
        done = tally.types[event.type]
        yield ExportLine(
            type=event.type, topic=topic_of(event).name, events=done.events, files=done.files,
            size_bytes=done.size_bytes, repeats=done.repeats,
        )  # fmt: skip


def _beside(tally: Tally) -> Iterator[BesideLine]:
    for topic, found in tally.topics.items():
        if found.undecodable or found.misplaced or found.lost:
            yield BesideLine(
                topic=topic, undecodable=found.undecodable, misplaced=found.misplaced, lost=found.lost
            )  # fmt: skip


def _tell(tally: Tally, wanted: list[type[Event]], as_json: bool) -> None:
    if as_json:
        for line in (*_lines(tally, wanted), *_beside(tally)):
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    table = Table("type", "events", "files", "bytes", "repeats", box=None, pad_edge=False)
    for line in _lines(tally, wanted):
        if line.events or line.repeats:
            numbers = (line.events, line.files, line.size_bytes, line.repeats)
            table.add_row(line.type, *(f"{number:,}" for number in numbers))
    console.print(table if table.rows else "Nothing new.")
    for beside in _beside(tally):
        console.print(
            f"{beside.topic}: {beside.undecodable} records are no events, {beside.misplaced} lie where their keys do "
            f"not belong, {beside.lost} offsets were lost",
            markup=False,
        )
