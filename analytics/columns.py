"""An event type as columns, as Arrow and Parquet hold it: where each event stands in the log, and its fields.

Personal fields are no columns, so nothing of them can be in a file, opened or sealed.
"""

from collections.abc import Sequence
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from projections.fold import Recorded
from schemas.avro_form import personal_fields, plain_type
from schemas.events import Event
from schemas.upcasters import UPCASTERS, OldVersion
from schemas.versions import kept_forms

EVENT_ID, TIME = "event_id", "time"
INSTANT = pa.timestamp("ms", tz="UTC")
PLACE: dict[str, pa.DataType] = {
    EVENT_ID: pa.string(),
    TIME: INSTANT,
    "topic": pa.string(),
    "partition": pa.int32(),
    "offset": pa.int64(),
}
"""The columns that every type has."""
_TYPE, _VERSION = b"photolog.type", b"photolog.version"
_PLAIN: dict[Any, pa.DataType] = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}


@cache
def own_fields(event: type[Event]) -> dict[str, Any]:
    """The fields of an event type that are columns, and what each holds."""
    personal = personal_fields(event)
    return {field.name: plain_type(field.type) for field in msgspec.structs.fields(event) if field.name not in personal}


@cache
def schema_of(event: type[Event]) -> pa.Schema:
    """The columns of an event type. What is said beside them names the type and the version of its schema."""
    place = [pa.field(name, kind, nullable=False) for name, kind in PLACE.items()]
    own = [_column(name, annotation) for name, annotation in own_fields(event).items()]
    version = str(len(kept_forms(event))).encode()
    return pa.schema([*place, *own], metadata={_TYPE: event.type.encode(), _VERSION: version})


def table_of(event: type[Event], rows: Sequence[Recorded]) -> pa.Table:
    """Events of one type as a table, in their order. Raises KeyError, never for an event that was decoded."""
    places: dict[str, list[Any]] = {
        EVENT_ID: [str(one.event_id) for one in rows],
        TIME: [one.timestamp_ms for one in rows],
        "topic": [one.topic for one in rows],
        "partition": [one.partition for one in rows],
        "offset": [one.offset for one in rows],
    }
    schema = schema_of(event)
    own = {name: _values(rows, name, schema.field(name).type) for name in own_fields(event)}
    arrays = [pa.array((places | own)[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def recorded_of(event: type[Event], table: pa.Table) -> list[Recorded]:
    """The events of a table, without what is personal, in today's words.

    A column that the table lacks came after it was written, and has its default.
    """
    ids = [UUID(text) for text in table.column(EVENT_ID).to_pylist()]
    times = table.column(TIME).cast(pa.int64()).to_pylist()
    places = [table.column(name).to_pylist() for name in ("topic", "partition", "offset")]
    return [Recorded(*row) for row in zip(_events(event, table), ids, *places, times, strict=True)]


def _events(event: type[Event], table: pa.Table) -> list[Event]:
    absent = dict.fromkeys(personal_fields(event))
    version = version_in(table)
    if any(begin >= version for begin in UPCASTERS.get(event, ())):
        old = OldVersion(kept_forms(event), UPCASTERS[event], version)
        fields = [name for name in table.column_names if name not in PLACE]
        return [msgspec.convert(old.current({**absent, **row}), event) for row in table.select(fields).to_pylist()]
    held = {name: annotation for name, annotation in own_fields(event).items() if name in table.column_names}
    values = [_read(table.column(name), annotation) for name, annotation in held.items()]
    return [event(**absent, **dict(zip(held, row, strict=True))) for row in zip(*values, strict=True)]


def to_parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file: the same bytes for the same table."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=["topic", "partition"])
    return bytes(sink.getvalue())


def from_parquet(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """A file's table.

    Args:
        data: the file.
        columns: those that are wanted; None for all.
    """
    return pq.ParquetFile(pa.BufferReader(data)).read(columns=None if columns is None else list(columns))


def version_in(table: pa.Table) -> int:
    """The version of its event's schema that a table was written with."""
    return int((table.schema.metadata or {})[_VERSION])


def _values(rows: Sequence[Recorded], name: str, kind: pa.DataType) -> list[Any]:
    values = [getattr(one.event, name) for one in rows]
    return msgspec.to_builtins(values) if pa.types.is_nested(kind) else values


def _read(column: Any, annotation: Any) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return msgspec.convert(values, list[annotation]) if pa.types.is_nested(column.type) else values


def _column(name: str, annotation: Any) -> pa.Field:
    inner = _without_none(annotation)
    return pa.field(name, arrow_type(inner), nullable=inner is not annotation)


def arrow_type(annotation: Any) -> pa.DataType:
    """What holds values of a field's type. Raises TypeError for a type that no event has."""
    origin = get_origin(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is Literal:
        return pa.string()
    if origin is list:
        return pa.list_(_column("item", get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return pa.struct([_column(one.name, plain_type(one.type)) for one in msgspec.structs.fields(annotation)])
    raise TypeError(f"no column for {annotation!r}")


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    (inner,) = [one for one in get_args(annotation) if one is not type(None)]
    return inner
