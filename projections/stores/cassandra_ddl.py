"""CQL tables, made from the tables that projections declare.

Lists are frozen: one cell, replaced as a whole. The cells of an unfrozen list would be appended again by every
repeat of the same write.
"""

from collections.abc import Collection, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from photolog.errors import Corruption
from projections.tables import Row, Table

OFFSET = "applied_offset"  # the record that last wrote the row
EVENT_IDS = "applied_ids"  # aggregates: recent event ids, 16 bytes each, oldest first
PRESENT = "present"  # aggregates: whether there is a row, or only the memory of one
_OWN_COLUMNS = frozenset({OFFSET, EVENT_IDS, PRESENT})

_SCALARS: dict[Any, str] = {int: "bigint", str: "text", bool: "boolean", float: "double", bytes: "blob"}

_POSITIONS = "positions"
_POSITIONS_COLUMNS = {
    "projection": "text",
    "topic": "text",
    "source": "int",
    "next_offset": "bigint",
    "outputs": "frozen<map<text, bigint>>",
    "counts": "frozen<map<text, bigint>>",
    "parked": "frozen<map<blob, frozen<list<bigint>>>>",
}
POSITIONS_DDL: tuple[str, ...] = (
    f"""CREATE TABLE IF NOT EXISTS "{_POSITIONS}" (
    {", ".join(f'"{name}" {kind}' for name, kind in _POSITIONS_COLUMNS.items())},
    PRIMARY KEY (("projection"), "topic", "source")
)""",
)


def table_ddl(table: Table[Any]) -> str:
    """The statement that creates a table where it is not there.

    Raises:
        TypeError: a field's type has no CQL form, a key may be null, or a field has the name of a column of ours.
    """
    columns = [f"{quoted(name)} {kind}" for name, kind in _columns(table).items()]
    columns.append(f"PRIMARY KEY ({_primary_key(table)})")
    body = ",\n    ".join(columns)
    return f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} (\n    {body}\n){_order(table)}"


def added_columns_ddl(table: Table[Any], there: Mapping[str, str]) -> list[str]:
    """The statements that bring a table made by an earlier version up to this one: rows only ever gain fields.

    Args:
        table: the table.
        there: the columns that it has, each with its kind as `system_schema.columns` puts it.

    Raises:
        Corruption: a field of the key is not there, or others place its rows; such a table is another one, to be
            folded anew.
    """
    if missing := sorted(set(table.key_fields) - set(there)):
        raise Corruption(f"{table.name} is stored without {', '.join(missing)} in its key; drop it and fold it again")
    placing = {name for name, kind in there.items() if kind == "partition_key"}
    if placing != set(table.partition):
        named = ", ".join(sorted(placing))
        raise Corruption(f"{table.name} is stored with {named} as its partition key; drop it and fold it again")
    return added_ddl(table.name, _columns(table), there)


def added_positions_ddl(there: Collection[str]) -> list[str]:
    """The statements that give the table of positions the columns that it lacks, as `added_columns_ddl`."""
    return added_ddl(_POSITIONS, _POSITIONS_COLUMNS, there)


def fields_of(table: Table[Any]) -> tuple[str, ...]:
    """The fields of a table's rows, in the order of its columns."""
    return tuple(field.name for field in msgspec.structs.fields(table.row))


def nullable_fields(row: type[Row]) -> frozenset[str]:
    """The fields of a row that may be None."""
    return frozenset(name for name, hint in get_type_hints(row).items() if _without_none(hint) is not hint)


def quoted(name: str) -> str:
    """A name as an identifier, whatever words the CQL of some version reserves."""
    return f'"{name}"'


def added_ddl(name: str, columns: Mapping[str, str], there: Collection[str]) -> list[str]:
    """The statements that give a table those of its columns, each with its type, that are not there."""
    added = {column: kind for column, kind in columns.items() if column not in there}
    return [f"ALTER TABLE {quoted(name)} ADD {quoted(column)} {kind}" for column, kind in added.items()]


def _columns(table: Table[Any]) -> dict[str, str]:
    """The type of each column, in order: the row's fields, then what the store adds."""
    hints = get_type_hints(table.row)
    columns = {name: _column_type(table, name, hints[name]) for name in fields_of(table)}
    columns[OFFSET] = "bigint"
    if table.aggregate:
        columns |= {EVENT_IDS: "blob", PRESENT: "boolean"}
    return columns


def _column_type(table: Table[Any], name: str, hint: Any) -> str:
    place = f"{table.name}.{name}"
    if name in _OWN_COLUMNS:
        raise TypeError(f"{place} has the name of a column that the store adds")
    inner = _without_none(hint)
    if name in table.key_fields and inner is not hint:
        raise TypeError(f"{place} is part of the key and may not be None")
    if get_origin(inner) is list:
        return f"frozen<list<{_scalar(place, get_args(inner)[0])}>>"
    return _scalar(place, inner)


def _scalar(place: str, hint: Any) -> str:
    if get_origin(hint) is Literal and all(isinstance(choice, str) for choice in get_args(hint)):
        return "text"
    if hint not in _SCALARS:
        raise TypeError(f"{place}: {hint} has no CQL form")
    return _SCALARS[hint]


def _without_none(hint: Any) -> Any:
    """`T` of `T | None`; any other type as it is."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    rest = [choice for choice in get_args(hint) if choice is not NoneType]
    return rest[0] if len(rest) == 1 else hint


def _primary_key(table: Table[Any]) -> str:
    partition = ", ".join(map(quoted, table.partition))
    clustering = [quoted(field.removeprefix("-")) for field in table.clustering]
    return ", ".join([f"({partition})", *clustering])


def _order(table: Table[Any]) -> str:
    if not table.clustering:
        return ""
    orders = [
        f"{quoted(field.removeprefix('-'))} {'DESC' if field.startswith('-') else 'ASC'}" for field in table.clustering
    ]
    return f" WITH CLUSTERING ORDER BY ({', '.join(orders)})"
