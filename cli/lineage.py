"""`photolog lineage`: from a request to the rows that it changed, and from a row back to the events that made it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated
from uuid import UUID

import msgspec
import typer

from cli.reading_progress import ReadingProgress
from cli.told import told_text
from lineage.addresses import Address, parse_row
from lineage.bootstrap import LookingBack, connect
from lineage.row_history import row_history
from lineage.story import Told, event_story, row_story
from photolog.errors import Invalid
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings

Story = Callable[[LookingBack], AsyncIterator[Told]]


def lineage(
    event: Annotated[str | None, typer.Argument(metavar="EVENT_ID", help="The event's id.")] = None,
    row: Annotated[
        str | None,
        typer.Option(
            help="A row instead: PROJECTION:TABLE:KEY, the key's values in the table's order with slashes between, as "
            "in graph:followings:7309/1790000000000/7310; without TABLE the row that decides, as in posts:7309."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The record key that the row follows from; else it is looked for.")
    ] = None,
    within_minutes: Annotated[
        int, typer.Option(min=0, max=7 * 1_440, help="How long after an event to look for what followed from it.")
    ] = 10,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Events of a row: the newest so many.")] = 100,
    open_sealed: Annotated[
        bool,
        typer.Option(
            "--open", help="Open personal fields with their people's keys: whoever sees the output sees personal data."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line; `told` says of what.")] = False,
) -> None:
    """Show what an event came from and led to: its request, its place in the log, the events that jobs derived from it,
    and every row that it changed, before and after. With --row the other way round: the events that made a row.

    All of it is worked out from the log, by folding the part that the row follows from; no store is read.
    """
    if (event is None) == (row is None):
        raise typer.BadParameter("give an event's id, or a row with --row")
    asked = _event_id(event) if event is not None else _address(row or "")
    settings = load_settings()
    quieten("cassandra", "httpx", "librdkafka")
    record_key = None if key is None else key.encode()

    def story(back: LookingBack) -> AsyncIterator[Told]:
        if isinstance(asked, UUID):
            return event_story(back.log, back.opening, asked, within_minutes * 60_000)
        return _row_story(back, asked, limit, record_key)

    asyncio.run(_run(settings, open_sealed, as_json, story))


async def _row_story(back: LookingBack, address: Address, limit: int, record_key: bytes | None) -> AsyncIterator[Told]:
    history = await row_history(back.log, back.opening, address, limit, record_key)
    async for told in row_story(history, str(address)):
        yield told


async def _run(settings: Settings, open_sealed: bool, as_json: bool, story: Story) -> None:
    progress = ReadingProgress()
    with progress.shown():
        async with connect(settings, progress, open_sealed) as back:
            async for told in story(back):
                progress.print(msgspec.json.encode(told).decode() if as_json else told_text(told))


def _event_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no event id: it is a UUID", param_hint="EVENT_ID") from error


def _address(text: str) -> Address:
    try:
        return parse_row(text)
    except Invalid as error:
        raise typer.BadParameter(error.detail, param_hint="--row") from error
