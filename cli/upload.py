"""`bin/photolog upload`: a photograph through the public API, as a client application would send it."""

import asyncio
import os
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from dotenv import dotenv_values
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from photolog.client import Client, WaitedTooLong, connect
from photolog.client.views import Upload
from photolog.errors import SettingsError

POLL_SECONDS = 0.1
WAIT_SECONDS_MAX = 120.0
_ADDRESS_KEY = "PHOTOLOG_GATEWAY__PUBLIC_URL"


def upload(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a .jpg, .png or .heic file")],
    username: Annotated[
        str, typer.Option(envvar="PHOTOLOG_USERNAME", help="whose photograph it is; `demo` prints some")
    ],
    password: Annotated[str, typer.Option(envvar="PHOTOLOG_PASSWORD", prompt=True, hide_input=True)],
    address: Annotated[
        str | None,
        typer.Option(envvar=_ADDRESS_KEY, help="the gateway; by default that of the running stack"),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="until its variants are made")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
) -> None:
    """Upload a photograph in parts, straight to the object store.

    It prints the photograph's id, to be posted under. With --wait it ends non-zero where the file turns out to be no
    picture.

    Example: bin/photolog upload holiday.heic --username ivo_ross0 --wait
    """
    console = Console(stderr=as_json)
    state = asyncio.run(_upload(file, username, password, _address(address), wait, console))
    if as_json:
        typer.echo(msgspec.json.encode(state).decode())
    else:
        console.print(_sentence(state))
    if state.state == "failed":
        raise typer.Exit(1)


async def _upload(file: Path, username: str, password: str, address: str, wait: bool, console: Console) -> Upload:
    async with connect(address) as client:
        await client.log_in(username, password)
        with _bar(console) as bar:
            task = bar.add_task(file.name, total=None)
            media_id = await client.upload(file, progress=partial(_show, bar, task))
        return await (_finished(client, media_id) if wait else client.upload_state(media_id))


async def _finished(client: Client, media_id: str) -> Upload:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        state = await client.upload_state(media_id)
        if state.state in ("ready", "failed"):
            return state
        await asyncio.sleep(POLL_SECONDS)
    raise WaitedTooLong(f"photograph {media_id} was not ready within {WAIT_SECONDS_MAX:g} s")


def _show(bar: Progress, task: TaskID, sent_bytes: int, whole_bytes: int) -> None:
    bar.update(task, completed=sent_bytes, total=whole_bytes)


def _address(given: str | None) -> str:
    """The gateway's address; of all settings a client needs this one alone."""
    file = os.environ.get("PHOTOLOG_ENV_FILE")
    address = given or (dotenv_values(file).get(_ADDRESS_KEY) if file else None)
    if not address:
        raise SettingsError(f"{_ADDRESS_KEY}: no stack was ever up here; start one, or name a gateway by --address")
    return address


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
    )


def _sentence(state: Upload) -> str:
    match state.state:
        case "ready":
            return f"Photograph {state.media_id} is ready: {state.width} x {state.height} pixels."
        case "failed":
            return f"Photograph {state.media_id} is refused: {state.detail} ({state.reason})"
    return f"Photograph {state.media_id} is uploaded; its variants are being made."
