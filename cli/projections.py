"""`bin/photolog projections`: every projection and its generations, and how each stands."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.generation_desk import desk, quiet_settings, row_counter
from photolog.ids import now_ms
from projections.generations import Selection
from schemas.topics import TOPICS
from streams.generation_report import ProjectionLine, ReportPorts, projection_lines

_WIDTH = 140


def projections(
    quick: Annotated[bool, typer.Option("--quick", help="Read no rows: no counts of rows and no digests.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Show every projection: its generations, positions, lag, rows, digest, and what became of its records.

    Every record that was consumed was applied, a duplicate, without effect, dead, or parked behind a dead one.
    """
    lines = asyncio.run(_lines(quick))
    if as_json:
        for line in lines:
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    else:
        # A pipe is not too narrow for anything.
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(projections_table(lines))


def projections_table(lines: list[ProjectionLine]) -> Table:
    """The projections for a person to read."""
    columns = ("projection", "engine", "gen", "state", "lag", "s", "rows", "digest")
    table = Table(*columns, "consumed", "applied", "dup", "no-op", "dead", "parked", box=None, pad_edge=False)
    for line in lines:
        rows = "" if line.rows is None else str(line.rows)
        counts = (line.consumed, line.applied, line.duplicates, line.noops, line.dead, line.parked)
        table.add_row(
            line.projection,
            line.engine,
            str(line.generation),
            line.state,
            str(line.lag),
            f"{line.lag_seconds:g}",
            rows,
            (line.digest or "")[:12],
            *map(str, counts),
        )
    return table


async def _lines(quick: bool) -> list[ProjectionLine]:
    settings = quiet_settings()
    async with desk(settings) as (connected, ports):
        pointers = await ports.pointers.read(serial=True)
        ends = await ports.ends([topic.name for topic in TOPICS], None)
        report = ReportPorts(
            kafka=settings.kafka,
            ends=ends,
            rows=lambda name, number: connected.at(Selection({name: number})).rows,
            timelines=connected.live.timelines,
            clock_ms=now_ms,
        )
        with row_counter(Console(stderr=True), "reading rows") as counter:
            return await projection_lines(report, pointers, None if quick else counter)
