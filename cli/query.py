"""`photolog query`: SQL over what the log says and anybody may know."""

import asyncio
import sys
from typing import Annotated

import typer

from analytics.asking import Asking, events_in
from analytics.bootstrap import connect_query
from analytics.database import Answer, QueryBounds, opened
from analytics.sources import Sources, Span
from cli.log_options import TIME_HELP, moment_ms
from cli.query_output import Format, write
from cli.reading_progress import ReadingProgress
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from schemas.events import Event

SQL_CHARACTERS_MAX = 1 << 20


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT, in DuckDB's SQL; - reads it from the input.")],
    grant: Annotated[
        str | None,
        typer.Option(
            envvar="PHOTOLOG_GRANT",
            help="A grant's id or token: its types, and ids as its streams show them. Else all public types, under "
            "pseudonyms that hold for this once.",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help=f"Only what happened since. {TIME_HELP}")] = None,
    until: Annotated[str | None, typer.Option(help="Only what happened before. A time, as --since.")] = None,
    form: Annotated[Format, typer.Option("--format", help="json is one object a line.")] = "table",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Print at most so many rows.")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Run SQL over what is public: files of exports, and the log since.

    Each public event type is a table, post_liked for post.liked. `SELECT * FROM dictionary` tells the columns; all have
    event_id and time (UTC). Rows are what a stream would show now: what is not public any more is not there.
    """
    span = Span(moment_ms(since, "--since"), moment_ms(until, "--until"))
    text = sys.stdin.read(SQL_CHARACTERS_MAX) if sql == "-" else sql
    events = events_in(text)
    settings = load_settings()
    quieten("botocore", "cassandra", "httpx", "librdkafka", "urllib3")
    try:
        answer = asyncio.run(asked(settings, text, events, grant, span, limit))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    write(answer, "json" if as_json else form)


async def asked(
    settings: Settings, sql: str, events: list[type[Event]], grant: str | None, span: Span, limit: int
) -> Answer:
    """The answer to a query.

    Args:
        settings: the platform's.
        sql: the query.
        events: the types whose tables it names.
        grant: a grant's id or token; None for nobody in particular.
        span: the time of the events.
        limit: rows of the answer.

    Raises:
        PhotologError: as `analytics.bootstrap.connect_query` and `analytics.asking.Asking.answer`.
    """
    own = settings.analytics
    bounds = QueryBounds(own.query_memory_bytes, own.query_disk_bytes, own.query_seconds, limit)
    progress = ReadingProgress()
    with progress.shown(), opened(bounds) as database:
        async with connect_query(settings, grant) as looking:
            asking = Asking(
                Sources(looking.ports), looking.view, looking.ends, looking.audience, database, progress.count
            )
            return await asking.answer(sql, events, span)
