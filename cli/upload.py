"""`bin/photolog upload`: a photograph, a video or a voice note through the public API, as an application would."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import NAMESPACE_OID, uuid4, uuid5

import msgspec
import typer
from dotenv import dotenv_values
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from photolog.client import connect
from photolog.client.uploads import Content
from photolog.client.views import Upload
from photolog.errors import Conflict, SettingsError
from schemas.events import Purpose

WAIT_SECONDS_MAX = 600.0
_ADDRESS_KEY = "PHOTOLOG_GATEWAY__PUBLIC_URL"


def upload(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="a .jpg, .png, .heic, .mp4, .mov, .m4a, .ogg, .webm or .mp3"),
    ],
    username: Annotated[str, typer.Option(envvar="PHOTOLOG_USERNAME", help="whose it is; `demo` prints some")],
    password: Annotated[str, typer.Option(envvar="PHOTOLOG_PASSWORD", prompt=True, hide_input=True)],
    address: Annotated[
        str | None,
        typer.Option(envvar=_ADDRESS_KEY, help="the gateway; by default that of the running stack"),
    ] = None,
    purpose: Annotated[
        Purpose,
        typer.Option(help="a video may take 60 s in a post, 90 s as a reel, 15 s in a story; sound is a voice note"),
    ] = ("post"),
    wait: Annotated[bool, typer.Option("--wait", help="until its variants are made")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
) -> None:
    """Upload a photograph, a video or a voice note in parts, straight to the object store.

    It prints the id to post it under, and with --wait the files that were made of it. Run again after it was
    interrupted, it sends what had not arrived. With --wait it ends non-zero where the file is refused.

    Example: bin/photolog upload holiday.heic --username ivo_ross0 --wait
    """
    console = Console(stderr=as_json)
    state = asyncio.run(_upload(file, purpose, username, password, _address(address), wait, console))
    if as_json:
        typer.echo(msgspec.json.encode(state).decode())
    else:
        console.print(_sentence(state))
    if state.state == "failed":
        raise typer.Exit(1)


async def _upload(
    file: Path, purpose: Purpose, username: str, password: str, address: str, wait: bool, console: Console
) -> Upload:
    async with connect(address) as client:
        await client.log_in(username, password)
        with _bar(console) as bar:
            send = partial(client.upload, file, purpose=purpose, progress=partial(_show, bar, bar.add_task(file.name)))
            media_id = await _resumed(send, await Content(file).sha256(), purpose)
        return await (client.wait_decoded(media_id, WAIT_SECONDS_MAX) if wait else client.upload_state(media_id))


async def _resumed(send: Callable[..., Awaitable[str]], sha256: str, purpose: Purpose) -> str:
    """Send under a name that the same file has the next time, so that an upload that broke off goes on. One that was
    given up, or ran out of time, is begun anew."""
    try:
        return await send(client_upload_id=resumable_name(purpose, sha256))
    except Conflict as error:
        if error.kind not in ("upload-aborted", "upload-expired"):
            raise
        return await send(client_upload_id=str(uuid4()))


def resumable_name(purpose: Purpose, sha256: str) -> str:
    """The name that uploads of one file for one purpose have."""
    return str(uuid5(NAMESPACE_OID, f"{purpose}/{sha256}"))


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
            made = "\n".join(
                f"  {one.name}  {one.width} x {one.height}  {one.size_bytes:,} bytes  {one.content_type}"
                for one in state.variants
            )
            length = f"{state.duration_ms / 1_000:.1f} s"
            shown = length if state.kind == "voice" else f"{state.width} x {state.height} pixels"
            return f"Upload {state.media_id} is ready: {shown}.\n{made}"
        case "failed":
            return f"Upload {state.media_id} is refused: {state.detail} ({state.reason})"
    return f"Upload {state.media_id} arrived; its variants are being made."
