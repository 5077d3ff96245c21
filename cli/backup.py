"""`photolog backup`: copy the log and what lives outside it elsewhere, or check what was copied."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from backup.bootstrap import engines, sources
from backup.checking import check
from backup.erased import write_erased
from backup.manifest import Manifest, manifest_of
from backup.refilling import counted
from backup.shelf import Shelf
from backup.shelves import shelf_at
from backup.taking import Taking
from cli.backup_progress import BackupProgress, lines_of, tell
from photolog.engines.object_store import ObjectStore
from photolog.ids import now_ms
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.timestamps import rfc3339


def backup(
    destination: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.")],
    media: Annotated[
        bool,
        typer.Option(
            "--media", help="Copy the photographs, too, from now on. A large bucket's own replication does it better."
        ),
    ] = False,
    erased_only: Annotated[
        bool,
        typer.Option("--erased-only", help="Bring only the list of erased accounts up to date; for every few minutes."),
    ] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Copy nothing: read the backup and hold every file to its digest.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Copy the log and what lives outside it while everything goes on.

    Run again with the same destination, it copies only what is new of the log, and everything outside it anew. Stopped
    by Ctrl-C or killed at any moment, the backup of before stays whole, and the same command goes on.
    """
    settings = load_settings()
    quieten("cassandra", "httpx", "librdkafka", "botocore")
    shelf, progress = shelf_at(destination, settings.s3), BackupProgress()
    try:
        with progress.shown():
            if check_only:
                manifest = asyncio.run(_check(shelf, progress))
            elif erased_only:
                count = asyncio.run(_erased(settings, shelf))
            else:
                manifest = asyncio.run(_take(settings, shelf, progress, media=media))
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; the same command goes on where it was", style="yellow")
        raise typer.Exit(130) from None
    if erased_only:
        sys.stdout.write(f'{{"erased":{count}}}\n' if as_json else f"{count} erased accounts are listed\n")
        return
    title = f"{shelf.label}, as of {rfc3339(manifest.ends_ms)}{': every digest is right' if check_only else ''}"
    tell(lines_of(manifest, [counted(one) for one in manifest.topics]), title, as_json=as_json)


async def _take(settings: Settings, shelf: Shelf, progress: BackupProgress, *, media: bool) -> Manifest:
    async with engines(settings) as connected:
        bucket = ObjectStore(settings.s3)
        return await Taking(sources(connected), shelf, progress, now_ms, bucket, media=media).run()


async def _erased(settings: Settings, shelf: Shelf) -> int:
    async with engines(settings) as connected:
        return await write_erased(connected.tables, shelf)


async def _check(shelf: Shelf, progress: BackupProgress) -> Manifest:
    manifest = await manifest_of(shelf)
    await check(manifest, shelf, progress)
    return manifest
