"""`bin/photolog rollback`: shows the generation before the live one again."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from cli.generation_desk import admin_of


def rollback(name: Annotated[str, typer.Argument(help="The projection's name.")]) -> None:
    """Show the generation before again. Live jobs kept it up to date, so nothing is lost."""
    asyncio.run(_run(name))


async def _run(name: str) -> None:
    async with admin_of(name) as admin:
        generations = (await admin.rollback()).of(name)
    Console(highlight=False).print(f"{name}: generation {generations.live} is live, {generations.previous} is kept")
