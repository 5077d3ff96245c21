"""Tables of no capability: every field type, every kind of key order."""

import itertools
import random
from typing import Any, Literal

from projections.tables import Row, Table
from tests.unit.projections.membership import COUNTS, LISTED, MEMBERS

# Stores are shared by the tests of a run, so each takes ids that no other has, in a range that no other run has.
_ids = itertools.count(random.SystemRandom().randrange(1 << 40) << 20)


def fresh_id(count: int = 1) -> int:
    """The first of so many consecutive ids that no test used before."""
    first, *_ = [next(_ids) for _ in range(count)]
    return first


class EveryType(Row, frozen=True, kw_only=True):
    number_id: int
    text_id: str
    text: str
    kind: Literal["one", "two"]
    whole: int
    real: float
    flag: bool
    raw: bytes
    numbers: list[int]
    texts: list[str]
    text_or_none: str | None
    kind_or_none: Literal["one", "two"] | None
    whole_or_none: int | None
    real_or_none: float | None
    flag_or_none: bool | None
    raw_or_none: bytes | None
    numbers_or_none: list[int] | None


class Aggregate(Row, frozen=True, kw_only=True):
    aggregate_id: int
    value: str
    note: str | None = None


class Entry(Row, frozen=True, kw_only=True):
    owner_id: int
    first: int
    second: int
    third: int
    value: str = ""


class Named(Row, frozen=True, kw_only=True):
    """Ordered by text, as a store orders it: by the bytes of UTF-8."""

    owner_id: int
    name: str


class Passing(Row, frozen=True, kw_only=True):
    owner_id: int
    number: int
    expires_ms: int


EVERY_TYPE = Table("sample_every_type", EveryType, ("number_id", "text_id"))
AGGREGATES = Table("sample_aggregates", Aggregate, ("aggregate_id",), aggregate=True)
ASCENDING = Table("sample_ascending", Entry, ("owner_id",), ("first", "second", "third"))
DESCENDING = Table("sample_descending", Entry, ("owner_id",), ("-first", "-second", "-third"))
MIXED = Table("sample_mixed", Entry, ("owner_id",), ("-first", "second", "-third"))
RUNS = Table("sample_runs", Entry, ("owner_id",), ("-first", "-second", "third"))
NAMED = Table("sample_named", Named, ("owner_id",), ("name",))
TWO_PARTS = Table("sample_two_parts", Entry, ("owner_id", "first"), ("second", "third"))

PASSING = Table("sample_passing", Passing, ("owner_id",), ("-number",), expires="expires_ms")
PASSING_AGGREGATES = Table("sample_passing_aggregates", Passing, ("owner_id",), aggregate=True, expires="expires_ms")

ORDERED: tuple[Table[Entry], ...] = (ASCENDING, DESCENDING, MIXED, RUNS)
SAMPLE_TABLES: tuple[Table[Any], ...] = (
    EVERY_TYPE,
    AGGREGATES,
    *ORDERED,
    NAMED,
    TWO_PARTS,
    PASSING,
    PASSING_AGGREGATES,
    MEMBERS,
    LISTED,
    COUNTS,
)
