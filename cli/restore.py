"""`photolog restore`: make an empty system what another was when it was backed up."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backup.bootstrap import engines, targets
from backup.erased import parse_erased, read_erased
from backup.manifest import Manifest, manifest_of
from backup.refilling import Restored
from backup.restoring import Restoring
from backup.shelves import shelf_at
from cli.backup_progress import BackupProgress, lines_of, tell
from cli.migrate import create_log, create_stores
from photolog.ids import now_ms
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.timestamps import rfc3339


def restore(
    source: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix, that `backup` wrote to.")],
    erased: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Ids of accounts that were erased since, one a line, beside those that the backup's own list names.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave this topic, which keeps records for a while only, empty; may be given again for others."
        ),
    ] = None,
    media: Annotated[bool, typer.Option("--media", help="Put the photographs back, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Restore a backup into an empty system: engines are up, no gateway and no worker is.

    Every record gets the partition and the offset that it had, and is read again and held to the backup's digests.
    Stopped or killed at any moment, the same command goes on. Afterwards start the workers: they fold the log.
    """
    settings = load_settings()
    quieten("cassandra", "httpx", "librdkafka", "botocore")
    named = parse_erased(erased.read_bytes(), str(erased)) if erased is not None else set()
    progress = BackupProgress()
    try:
        with progress.shown():
            manifest, topics = asyncio.run(
                _restore(settings, source, named, frozenset(without or ()), progress, media=media)
            )
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; the same command goes on where it was", style="yellow")
        raise typer.Exit(130) from None
    # What this version has beyond that of the backup.
    create_log(settings, Console(stderr=True))
    tell(
        lines_of(manifest, topics),
        f"restored as of {rfc3339(manifest.ends_ms)}: every digest is right",
        as_json=as_json,
    )


async def _restore(
    settings: Settings, source: str, named: set[int], without: frozenset[str], progress: BackupProgress, *, media: bool
) -> tuple[Manifest, Sequence[Restored]]:
    shelf = shelf_at(source, settings.s3)
    manifest = await manifest_of(shelf)
    erased = frozenset(named | await read_erased(shelf))
    await create_stores(settings)
    async with engines(settings) as connected, targets(connected, shelf, progress.advance, media=media) as into:
        restored = await Restoring(manifest, shelf, into, erased, without, progress, now_ms()).run()
    return manifest, restored
