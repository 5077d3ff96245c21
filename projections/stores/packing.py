"""Rows as bytes that are the same for the same row, whatever table of its shape it comes from."""

from typing import Any

import msgspec

from projections.tables import Row

pack_fields = msgspec.msgpack.Encoder().encode
"""The packed form of a row's fields, in the order of its class."""


def fields_in(row: Row | None) -> tuple[Any, ...]:
    """A row's fields, in the order of its class."""
    return () if row is None else msgspec.structs.astuple(row)


def pack_row(row: Row) -> bytes:
    """The packed form of a row."""
    return pack_fields(fields_in(row))
