"""`photolog down`: stop the stack, whoever started it."""

from typing import Annotated

import typer
from rich.console import Console

from infra.local.home import default_home
from infra.local.ports import DEFAULT_BASE
from infra.local.stack import Stack


def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Then remove all data, logs and secrets of the stack.")] = False,
) -> None:
    """Stop what `up` started, and whatever a crash may have left."""
    console = Console()
    home = default_home()
    stack = Stack(home.root, DEFAULT_BASE)
    with console.status("Stopping …"):
        stopped = stack.stop()
    console.print(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")
    if wipe:
        stack.wipe()
        console.print(f"Removed the data in {home.root}.")
