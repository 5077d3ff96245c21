"""`photolog tail`: the events of a topic, decoded, up to its end or on and on."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
import typer

from cli.log_options import TIME_HELP, event_types, moment_ms, plain
from photolog.engines.cassandra_session import CassandraSession
from photolog.keyring import SubjectKeyring
from photolog.library_logs import quieten
from photolog.log.merge import in_time_order
from photolog.log.newest import newest
from photolog.log.record import StoredRecord
from photolog.log.selection import Selection
from photolog.log.slices import Slice, SliceReader
from photolog.settings import Settings, key_bytes, load_settings
from schemas.registry import load_serde
from schemas.viewing import ViewedRecord, Viewer

LIMIT_DEFAULT = 10
LIMIT_MAX = 100_000
_SLICE_RECORDS = 500
Format = Literal["table", "json"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown.

    Args:
        topic: the topic's name.
        selection: which records.
        limit: the newest so many; None for all.
        follow: whether to go on behind the end.
    """

    topic: str
    selection: Selection
    limit: int | None
    follow: bool


def tail(
    topic: Annotated[str, typer.Argument(help="The topic's name; a dead-letter topic's will do, too.")],
    since: Annotated[str | None, typer.Option(help=f"Only what happened then or later. {TIME_HELP}")] = None,
    event_type: Annotated[
        list[str] | None, typer.Option("--type", help="Only this event type; may be given again for others.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only this partition key.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, max=LIMIT_MAX, help="The newest so many. Without --since 10, with it all."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    form: Annotated[Format, typer.Option("--format", help="json is one object a line.")] = "table",
    open_sealed: Annotated[
        bool,
        typer.Option(
            "--open", help="Open personal fields with their people's keys: whoever sees the output sees personal data."
        ),
    ] = False,
) -> None:
    """Show the events of a topic, in the order of their time.

    Without --follow it ends where the log ended as it began. Personal fields are shown as <sealed>; a record that is no
    event is shown with the reason and its first bytes.
    """
    selection = Selection(
        since_ms=moment_ms(since, "--since"),
        types=event_types(event_type, "--type"),
        keys=frozenset() if key is None else frozenset({key.encode()}),
    )
    if limit is None and since is None:
        limit = LIMIT_DEFAULT
    settings = load_settings()
    quieten("cassandra", "httpx", "librdkafka")
    try:
        asyncio.run(_run(settings, Asked(topic, selection, limit, follow), form, open_sealed))
    except KeyboardInterrupt:
        # How following ends; whatever else is interrupted has not shown everything.
        raise typer.Exit(0 if follow else 130) from None


async def _run(settings: Settings, asked: Asked, form: Format, open_sealed: bool) -> None:
    async with AsyncExitStack() as closing:
        keys = None
        if open_sealed:
            session = await CassandraSession.connect(settings.cassandra)
            closing.push_async_callback(session.close)
            keys = SubjectKeyring(session, key_bytes(settings.secrets.master_key))
        reader = await closing.enter_async_context(SliceReader(settings.kafka))
        slices = await reader.whole(asked.topic)
        viewer = Viewer(await asyncio.to_thread(load_serde, settings.registry), keys)
        if form == "table":
            sys.stdout.write(HEADING)
        async for records in shown(reader, slices, asked, viewer):
            for start in range(0, len(records), _SLICE_RECORDS):
                for one in await viewer.view(records[start : start + _SLICE_RECORDS]):
                    sys.stdout.write(json_line(one) if form == "json" else table_line(one))
            sys.stdout.flush()


async def shown(
    reader: SliceReader, slices: Sequence[Slice], asked: Asked, viewer: Viewer
) -> AsyncIterator[Sequence[StoredRecord]]:
    """The records to show, in their order.

    Args:
        reader: reads the log.
        slices: all that the topic holds.
        asked: what is wanted of it.
        viewer: tells the types of records that do not say it themselves.
    """

    def holds(record: StoredRecord) -> bool:
        return asked.selection.holds(record, viewer.type_of)

    wanted = list(slices)
    if asked.selection.since_ms is not None:
        wanted = await reader.since(wanted, asked.selection.since_ms)
    if asked.limit is not None:
        yield await newest(reader, wanted, asked.limit, holds)
        wanted = [replace(one, begin=one.end or 0) for one in slices]
    if asked.follow:
        wanted = [replace(one, end=None) for one in wanted]
    async for records in in_time_order(reader, wanted):
        if found := [record for record in records if holds(record)]:
            yield found


def json_line(record: ViewedRecord) -> str:
    """The record as one object on a line."""
    return msgspec.json.encode(record).decode() + "\n"


_COLUMNS = "{:<24}  {:<24}  {:<22}  {:<36}  {:<20}  {}\n"
HEADING = _COLUMNS.format("time", "position", "type", "event id", "key", "event")


def table_line(record: ViewedRecord) -> str:
    """The record as a line for a person to read; what no terminal should be told is escaped."""
    if record.undecodable is None:
        told = " ".join(f"{name}={_value(value)}" for name, value in (record.event or {}).items())
    else:
        broken = record.undecodable
        told = f"undecodable: {broken.reason}; {broken.size_bytes} bytes, the first: {broken.first_bytes}"
    headers = " ".join(f"{name}={_value(value)}" for name, value in record.headers.items() if _is_story(name))
    position = f"{record.topic}/{record.partition}@{record.offset}"
    cells = (record.time, position, record.type or "?", record.event_id or "?", record.key or "")
    return _COLUMNS.format(*(plain(cell) for cell in cells), plain(f"{told}  {headers}".rstrip()))


def _is_story(name: str) -> bool:
    return name.startswith(("dead_", "replayed_"))


def _value(value: object) -> str:
    return value if isinstance(value, str) and value.isalnum() else msgspec.json.encode(value).decode()
