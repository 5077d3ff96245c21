"""`bin/photolog erasure-scan`: looks everywhere for what is left of an account, and fails where anything is."""

import asyncio
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gateway.erasures import receipt_id
from leaving.bootstrap import connect_scan
from leaving.scan import Scan, ScanReport
from photolog.library_logs import quieten
from photolog.settings import Settings, key_bytes, load_settings


def erasure_scan(
    account: Annotated[int, typer.Argument(help="The account's id.", min=0)],
    word: Annotated[
        list[str] | None, typer.Option(help="A text that is known to be theirs; looked for byte by byte.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object.")] = False,
) -> None:
    """Look for what is left of an account: in the whole log, dead letters, rows, vault, caches and bucket.

    Exit status 0 where nothing is left, 1 where anything is: a sealed value whose key is there, a row, a file, a word.
    """
    settings = load_settings()
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    report = asyncio.run(_report(settings, account, word or ()))
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        _print(report, receipt_id(key_bytes(settings.secrets.hash_key), account))
    raise typer.Exit(0 if report.clean else 1)


async def _report(settings: Settings, account_id: int, words: "list[str] | tuple[()]") -> ScanReport:
    async with connect_scan(settings) as (resources, caches):
        return await Scan(resources, caches, account_id, words).report()


def _print(report: ScanReport, address: str) -> None:
    console = Console()
    table = Table("place", "left", "sealed, no key", "references", "unreadable")
    for place in report.places:
        numbers = (place.left, place.sealed, place.references, place.unreadable)
        if any(numbers):
            table.add_row(place.place, *(str(number) for number in numbers))
    console.print(table)
    if report.marked:
        console.print(f"marked as erased; its receipt: /v1/erasures/{address}")
    console.print("[green]nothing is left[/green]" if report.clean else "[red]something is left[/red]")
