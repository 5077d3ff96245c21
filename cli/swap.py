"""`bin/photolog swap`: shows the generation that was built instead of the live one."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from cli.generation_desk import admin_of, row_counter


def swap(
    name: Annotated[str, typer.Argument(help="The projection's name.")],
    accept_diff: Annotated[
        str | None, typer.Option("--accept-diff", help="The digest of differences that are meant; `verify` prints it.")
    ] = None,
) -> None:
    """Show the generation that was built: one atomic change, and no reader sees a mixture.

    Refused while the generation lags, and where it differs from the live one in a way that nobody accepted.
    """
    asyncio.run(_run(name, accept_diff))


async def _run(name: str, accepted: str | None) -> None:
    async with admin_of(name) as admin:
        with row_counter(Console(stderr=True), f"comparing {name}") as counter:
            generations = (await admin.swap(accepted, counter)).of(name)
    console = Console(highlight=False)
    console.print(
        f"{name}: generation {generations.live} is live; {generations.previous} is kept for `rollback {name}`"
    )
