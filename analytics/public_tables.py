"""What analysts ask: a table for each public event type, with the fields that its schema declares for them."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

import msgspec
import pyarrow as pa

from analytics.columns import EVENT_ID, TIME, arrow_type
from gateway.streams.filters import PUBLIC
from schemas.avro_form import plain_type, shown_fields
from schemas.events import Event, Form

DICTIONARY = "dictionary"


class PublicRow(NamedTuple):
    """An event as somebody may see it.

    Args:
        event_id: its id.
        time_ms: when it happened, Unix milliseconds.
        data: the fields that are declared, ids as pseudonyms.
    """

    event_id: str
    time_ms: int
    data: dict[str, Any]


def table_name(event_type: str) -> str:
    """The table of an event type: `post_liked` for `post.liked`."""
    return event_type.replace(".", "_")


EVENTS: dict[str, type[Event]] = {table_name(name): event for name, event in PUBLIC.items()}
"""The public event types by the names of their tables."""


@cache
def schema_of(event: type[Event]) -> pa.Schema:
    """The columns of a type's table. Times are UTC without saying so, so that no machine's clock has a say."""
    annotations = {field.name: plain_type(field.type) for field in msgspec.structs.fields(event)}
    own = [pa.field(name, _shown(annotations[name], mark.form)) for name, mark in shown_fields(event).items()]
    return pa.schema([pa.field(EVENT_ID, pa.string()), pa.field(TIME, pa.timestamp("ms")), *own])


def table_of(event: type[Event], rows: Sequence[PublicRow]) -> pa.Table:
    """Rows of one type as a table."""
    schema = schema_of(event)
    columns: dict[str, list[Any]] = {EVENT_ID: [row.event_id for row in rows], TIME: [row.time_ms for row in rows]}
    columns |= {name: [row.data[name] for row in rows] for name in schema.names if name not in columns}
    return pa.Table.from_arrays([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def dictionary() -> pa.Table:
    """Every field of every table and what it means."""
    rows = [
        {"table_name": name, "type": event.type, "field": field, "meaning": mark.meaning}
        for name, event in EVENTS.items()
        for field, mark in shown_fields(event).items()
    ]
    return pa.Table.from_pylist(rows)


def _shown(annotation: Any, form: Form) -> pa.DataType:
    """What holds a field's values as analysts get them: of a record, the fields that are declared."""
    arguments = get_args(annotation)
    if get_origin(annotation) is list:
        return pa.list_(_shown(arguments[0], form))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = {field.name: plain_type(field.type) for field in msgspec.structs.fields(annotation)}
        return pa.struct([(name, _shown(fields[name], mark.form)) for name, mark in shown_fields(annotation).items()])
    if form != "plain":
        return pa.string()
    inner = next((one for one in arguments if one is not type(None)), None) if type(None) in arguments else None
    return arrow_type(annotation if inner is None else inner)
