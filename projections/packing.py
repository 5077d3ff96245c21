"""Rows as bytes that are the same for the same row, whatever table of its shape it comes from."""

from typing import Any

import msgspec

from projections.stores.port import RankedRow
from projections.tables import KeyTuple, Row, Table

pack_fields = msgspec.msgpack.Encoder().encode
"""The packed form of a row's fields, in the order of its class."""


def key_places(table: Table[Any]) -> tuple[int, ...]:
    """Where the fields of the key stand in a ranked row."""
    names = [field.name for field in msgspec.structs.fields(table.row)]
    return tuple(1 + names.index(field) for field in table.key_fields)


def ranked_key(table: Table[Any], ranked: RankedRow) -> KeyTuple:
    """The key of a ranked row."""
    return tuple([ranked[place] for place in key_places(table)])


def pack_ranked(ranked: RankedRow) -> bytes:
    """The packed form of the fields of a ranked row."""
    return pack_fields(ranked[1:])


def fields_in(row: Row | None) -> tuple[Any, ...]:
    """A row's fields, in the order of its class."""
    return () if row is None else msgspec.structs.astuple(row)


def pack_row(row: Row) -> bytes:
    """The packed form of a row."""
    return pack_fields(fields_in(row))
