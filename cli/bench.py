"""`bin/photolog bench`: each benchmark is a ratio to its opponent, measured in the same run."""

import importlib
import os
import platform
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

# The module of each benchmark; it has `run(rounds) -> list[Result]`.
BENCHMARKS = {
    "append": "benchmarks.append",
    "edge": "benchmarks.edge",
    "fanout": "benchmarks.fanout",
    "fanout-stream": "benchmarks.fanout_stream",
    "feed": "benchmarks.feed",
    "feed-celebrities": "benchmarks.feed_celebrities",
    "feed-cold": "benchmarks.cold_fill",
    "feed-under-writes": "benchmarks.feed_under_writes",
    "decode": "benchmarks.decode",
    "variants": "benchmarks.variants",
    "sandbox": "benchmarks.sandbox",
    "ladder": "benchmarks.ladder",
    "phash": "benchmarks.phash",
    "nearest": "benchmarks.nearest",
    "limits": "benchmarks.limits",
    "rebuild": "benchmarks.rebuild",
    "replay": "benchmarks.replay",
    "seen": "benchmarks.seen",
    "subscribers": "benchmarks.subscribers",
    "trending": "benchmarks.flink_trending",
    "story-views": "benchmarks.flink_story_views",
    "tray": "benchmarks.tray",
}


def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"which: {', '.join(BENCHMARKS)}; all by default")] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="paired rounds; the median is reported")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
) -> None:
    """Measure photolog against named opponents.

    Ours and the opponent run in turn, round by round; the ratio is the median of the pairs, the spread their
    smallest and largest. Benchmarks that need engines boot their own and stop them.

    Example: bin/photolog bench decode variants --rounds 7
    """
    unknown = sorted(set(names or ()) - set(BENCHMARKS))
    if unknown:
        raise typer.BadParameter(f"no benchmark is named {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    console = Console(stderr=as_json)
    results = []
    for name in names or BENCHMARKS:
        console.print(f"[dim]{name} …[/dim]")
        for result in importlib.import_module(BENCHMARKS[name]).run(rounds):
            results.append(result)
            if as_json:
                typer.echo(msgspec.json.encode(asdict(result)).decode())
    if not as_json:
        console.print(_table(results))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    console.print(f"[dim]{os.cpu_count()} cores, {platform.python_version()}, load {load}, {rounds} rounds[/dim]")


def _table(results: list[Any]) -> Table:
    table = Table("bench", "ours", "opponent", "ratio", "spread", "aim", "note")
    for r in results:
        table.add_row(
            r.name,
            f"{r.ours:,.0f} {r.unit}",
            f"{r.opponent:,.0f} {r.opponent_name}",
            f"{r.ratio:.2f}",
            f"{r.spread[0]:.2f}–{r.spread[1]:.2f}",
            f"≥ {r.aim}" if r.aim is not None else "printed",
            r.note,
        )
    return table
