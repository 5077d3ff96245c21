"""`photolog status`: how each process is, asked of the processes themselves."""

import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from infra.local.home import default_home
from infra.local.status import ProcessStatus, stack_status

NOT_READY = 3


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Show each engine and job: pid, port, ready, restarts, memory, lag.

    The exit status is 0 if all of them are ready and 3 otherwise.
    """
    processes = stack_status(default_home())
    if as_json:
        for process in processes:
            sys.stdout.write(msgspec.json.encode(process).decode() + "\n")
    elif processes:
        Console().print(status_table(processes))
    if not processes:
        print("Nothing is up; `bin/photolog up` boots it.", file=sys.stderr)
    if not processes or not all(process.ready for process in processes):
        raise typer.Exit(NOT_READY)


def status_table(processes: list[ProcessStatus]) -> Table:
    """The processes for a person to read."""
    table = Table("process", "ready", "address", "pid", "restarts", "resident MB", "lag", box=None, pad_edge=False)
    for process in processes:
        ready = "[green]yes[/green]" if process.ready else f"[red]{process.phase}[/red] {process.reason or ''}"
        address = f"127.0.0.1:{process.port}" if process.port else ""
        numbers = (process.pid, process.restarts, process.resident_mb, process.lag)
        table.add_row(process.name, ready, address, *("" if number is None else str(number) for number in numbers))
    return table
