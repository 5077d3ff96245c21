"""`bin/photolog verify`: compares a generation of a read model with the live one, row by row."""

import asyncio
import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.generation_desk import admin_of, row_counter
from cli.verify_feed import verify_feed
from projections.comparing import Difference
from projections.generations import Generations
from streams.delivery import NAME as FEED
from streams.verifying import Verdict

DIFFERENT = 1


class DifferenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row that differs, as `--json` prints it; null where it is absent."""

    table: str
    key: dict[str, Any]
    live: Any
    other: Any


class VerdictLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found, the last line of `--json`."""

    projection: str
    live: int
    other: int
    rows: int
    digest: str
    other_rows: int
    other_digest: str
    differences: int
    moving: int
    differences_digest: str | None


def verify(
    name: Annotated[str, typer.Argument(help="The projection's name.")],
    generation: Annotated[
        int | None, typer.Option(min=1, help="Which to compare; else the one that is built, or the one before.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One object a line: the differences, then the digests.")
    ] = False,
) -> None:
    """Compare another generation with the live one while traffic goes on.

    `feed`, which is made of caches alone, is compared with what the rows make of it: every page that there is a
    timeline for, cards and counts included.

    Exit status 0 where all is the same, 1 where any row or card differs: those are printed with both values.
    """
    if name == FEED:
        raise typer.Exit(0 if verify_feed(as_json) else DIFFERENT)
    verdict, generations = asyncio.run(_verdict(name, generation))
    other = generation or generations.building or generations.previous or 0
    if as_json:
        for difference in verdict.shown:
            sys.stdout.write(msgspec.json.encode(_line(difference)).decode() + "\n")
        sys.stdout.write(msgspec.json.encode(_summary(name, verdict, generations.live, other)).decode() + "\n")
    else:
        _print(name, verdict, generations.live, other)
    raise typer.Exit(0 if verdict.same else DIFFERENT)


async def _verdict(name: str, generation: int | None) -> tuple[Verdict, Generations]:
    async with admin_of(name) as admin:
        with row_counter(Console(stderr=True), f"comparing {name}") as counter:
            return await admin.verify(generation, counter), await admin.generations()


def _line(difference: Difference) -> DifferenceLine:
    key = dict(zip(difference.key.table.key_fields, difference.key.values, strict=True))
    return DifferenceLine(table=difference.key.table.name, key=key, live=difference.live, other=difference.other)


def _summary(name: str, verdict: Verdict, live: int, other: int) -> VerdictLine:
    return VerdictLine(
        projection=name,
        live=live,
        other=other,
        rows=verdict.live.rows,
        digest=str(verdict.live),
        other_rows=verdict.other.rows,
        other_digest=str(verdict.other),
        differences=verdict.differences.rows,
        moving=verdict.moving,
        differences_digest=None if verdict.same else str(verdict.differences),
    )


def _print(name: str, verdict: Verdict, live: int, other: int) -> None:
    console = Console(highlight=False)
    if verdict.shown:
        table = Table("table", "key", f"live ({live})", f"other ({other})", title=f"rows of {name} that differ")
        for difference in verdict.shown:
            key = ", ".join(map(str, difference.key.values))
            table.add_row(difference.key.table.name, key, _told(difference.live), _told(difference.other))
        console.print(table)
    console.print(f"live  {live}: {verdict.live.rows} rows, digest {verdict.live}")
    console.print(f"other {other}: {verdict.other.rows} rows, digest {verdict.other}")
    if verdict.same:
        console.print("[green]every row is the same[/green]")
        return
    more = f", {len(verdict.shown)} of them shown" if verdict.differences.rows > len(verdict.shown) else ""
    console.print(
        f"[red]{verdict.differences.rows} rows differ[/red]{more}; digest of the differences: {verdict.differences}"
    )
    if verdict.moving:
        console.print(f"{verdict.moving} rows changed all the time and could not be compared")


def _told(row: Any) -> str:
    return "absent" if row is None else msgspec.json.encode(row).decode()
