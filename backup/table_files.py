"""Rows of Cassandra tables as Avro: each column under its own name and type, and when the row expires."""

from collections.abc import Mapping, Sequence
from typing import Any

import fastavro

from backup.avro_files import digest_of, rows_in, written
from backup.manifest import TableFile
from photolog.errors import Corruption

TABLES = "tables/"
EXPIRES = "expires_ms"
"""When the row is gone, Unix milliseconds; null for never."""
Row = dict[str, Any]
_TYPES: Mapping[str, Any] = {
    "text": "string",
    "bigint": "long",
    "int": "int",
    "blob": "bytes",
    "boolean": "boolean",
    "uuid": {"type": "string", "logicalType": "uuid"},
}


def table_schema(table: str, columns: Mapping[str, str]) -> Any:
    """The schema of a table's rows.

    Args:
        table: its name.
        columns: the CQL type of each column.

    Raises:
        Corruption: a column is of a type that no table of this version has.
    """
    if unknown := sorted(set(columns.values()) - _TYPES.keys()):
        raise Corruption(f"{table} has columns of type {', '.join(unknown)}, which a backup cannot write")
    fields = [{"name": name, "type": ["null", _TYPES[kind]]} for name, kind in columns.items()]
    expires = {"name": EXPIRES, "type": ["null", "long"]}
    return fastavro.parse_schema(
        {"type": "record", "name": table, "namespace": "photolog.backup", "fields": [*fields, expires]}
    )


def table_file(folder: str, number: int, table: str, schema: Any, rows: Sequence[Row]) -> tuple[TableFile, bytes]:
    """A file of rows.

    Args:
        folder: that of the run.
        number: counts the table's files.
        table: its name.
        schema: as `table_schema` made it.
        rows: with every column, and `EXPIRES`.
    """
    data = written(schema, rows, {})
    name = f"{TABLES}{folder}/{table}-{number:06d}.avro"
    return TableFile(name, table, len(rows), len(data), digest_of(data)), data


def rows_of(file: TableFile, data: bytes) -> list[Row]:
    """The rows of a file whose digest was checked. Raises Corruption."""
    rows = list(rows_in(file.name, data))
    if len(rows) != file.rows:
        raise Corruption(f"{file.name} holds {len(rows)} rows, not {file.rows}")
    return rows
