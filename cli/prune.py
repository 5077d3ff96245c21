"""`bin/photolog prune`: gives up every generation but the live one."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from cli.generation_desk import admin_of


def prune(name: Annotated[str, typer.Argument(help="The projection's name.")]) -> None:
    """Give up the generation before and one that is being built, and remove their tables.

    It waits until no request can see them any more, at most about half a minute after a swap.
    """
    asyncio.run(_run(name))


async def _run(name: str) -> None:
    async with admin_of(name) as admin:
        gone = await admin.prune()
    told = ", ".join(map(str, gone)) if gone else "none"
    Console(highlight=False).print(f"{name}: generations given up: {told}")
