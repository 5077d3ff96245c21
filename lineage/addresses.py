"""How rows are written down: PROJECTION:TABLE:KEY, the key's values in the table's order, a slash between each two.

`graph:followings:7309342343/1790000000000/7309342401`. The table may be left out where the row is the one that decides,
such as the post of `posts:7309342343`. What a value holds of slashes, colons and percent signs is percent-encoded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from photolog.errors import Invalid
from projections.catalogue import PROJECTIONS, TABLES_OF
from projections.fold import Projection
from projections.story_replies import REACTION
from projections.tables import Row, RowKey, Table

SOURCE = "source"
"""The key field of a row that is kept for each source partition: it tells which one."""


@dataclass(frozen=True, slots=True)
class Address:
    """A row of a projection."""

    projection: Projection
    key: RowKey[Row]

    @property
    def source(self) -> int | None:
        """The source partition that the row is a part of; None for a row that is whole."""
        return source_of(self.key)

    def __str__(self) -> str:
        return format_row(self.projection.name, self.key)


def source_of(key: RowKey[Row]) -> int | None:
    """The source partition of a row that has one for each."""
    fields = key.table.key_fields
    return int(key.values[fields.index(SOURCE)]) if SOURCE in fields else None


def ids_of(key: RowKey[Row]) -> list[int]:
    """The ids in a row's key: every event that makes the row what it is names them. What stands for a reaction, in the
    place of a reply's id, is none: no event names it."""
    named = zip(key.table.key_fields, key.values, strict=True)
    return [value for field, value in named if field.endswith("_id") and (field, value) != ("reply_id", REACTION)]


def format_row(projection: str, key: RowKey[Row]) -> str:
    """A row's address."""
    return f"{projection}:{key.table.name}:{'/'.join(quote(str(value), safe='') for value in key.values)}"


def parse_row(text: str) -> Address:
    """Read an address.

    Raises:
        Invalid: there is no such projection or table, or the key has other values; the message says which there are.
    """
    name, _, rest = text.partition(":")
    projection = next((one for one in PROJECTIONS if one.name == name), None)
    if projection is None:
        raise _invalid(f"there is no projection {name!r}; there are {', '.join(one.name for one in PROJECTIONS)}")
    table_name, colon, values = rest.rpartition(":")
    tables = TABLES_OF[name]
    table = next((one for one in tables if (one.name == table_name if colon else one.aggregate)), None)
    if table is None:
        raise _invalid(f"{name} has no table {table_name!r}; it has {', '.join(one.name for one in tables)}")
    return Address(projection, _key(table, values.split("/")))


def _key(table: Table[Any], values: list[str]) -> RowKey[Row]:
    wanted = "/".join(table.key_fields)
    if len(values) != len(table.key_fields):
        raise _invalid(f"a key of {table.name} is written {wanted}")
    types: Mapping[str, Any] = {field.name: field.type for field in msgspec.structs.fields(table.row)}
    try:
        return table.key(
            *(
                msgspec.convert(unquote(value), types[field], strict=False)
                for field, value in zip(table.key_fields, values, strict=True)
            )
        )
    except msgspec.ValidationError as error:
        raise _invalid(f"a key of {table.name} is written {wanted}: {error}") from error


def _invalid(detail: str) -> Invalid:
    return Invalid("malformed-row", detail, "--row")
