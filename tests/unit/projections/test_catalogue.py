"""The catalogue of tables, and the CQL that is made from it."""

import importlib
import pkgutil
from typing import Any, Literal

import pytest

import projections
from projections.catalogue import TABLES
from projections.graph import FOLLOWERS
from projections.posts import POSTS, PUBLISHED_POSTS
from projections.stores.cassandra_ddl import table_ddl
from projections.tables import Row, Table


class Odd(Row, frozen=True, kw_only=True):
    row_id: int
    maybe_id: int | None
    number_choice: Literal[1, 2]
    mapping: dict[str, int]
    either: int | str
    nested: list[list[int]]


class Clashing(Row, frozen=True, kw_only=True):
    row_id: int
    applied_offset: int


def test_every_table_of_a_capability_is_in_the_catalogue() -> None:
    declared = set()
    for module in pkgutil.iter_modules(projections.__path__):
        if not module.ispkg:
            members = vars(importlib.import_module(f"projections.{module.name}")).values()
            declared |= {member.name for member in members if isinstance(member, Table)}
    assert declared == {table.name for table in TABLES}


def test_table_names_are_distinct() -> None:
    assert len({table.name for table in TABLES}) == len(TABLES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_form_in_cassandra(table: Table[Any]) -> None:
    assert table_ddl(table).startswith(f'CREATE TABLE IF NOT EXISTS "{table.name}" (')
    assert set(table.key_fields) <= set(table.row.__struct_fields__)


def test_keys_and_orders_stand_in_the_ddl() -> None:
    ddl = table_ddl(FOLLOWERS)
    assert 'PRIMARY KEY (("followee_id", "shard"), "slot", "follower_id")' in ddl
    assert 'CLUSTERING ORDER BY ("slot" ASC, "follower_id" ASC)' in ddl
    assert 'CLUSTERING ORDER BY ("published_ms" DESC, "post_id" DESC)' in table_ddl(PUBLISHED_POSTS)


def test_only_aggregates_remember_events() -> None:
    assert '"applied_ids" blob' in table_ddl(POSTS)
    assert '"present" boolean' in table_ddl(POSTS)
    assert '"applied_ids"' not in table_ddl(FOLLOWERS)
    assert '"applied_offset" bigint' in table_ddl(FOLLOWERS)


def test_a_list_is_one_cell() -> None:
    assert '"media_ids" frozen<list<bigint>>' in table_ddl(POSTS)


@pytest.mark.parametrize(
    ("table", "field"),
    [
        (Table("odd", Odd, ("maybe_id",)), "maybe_id"),
        (Table("clashing", Clashing, ("row_id",)), "applied_offset"),
    ],
)
def test_a_field_that_may_not_be_a_column_is_named(table: Table[Any], field: str) -> None:
    with pytest.raises(TypeError, match=field):
        table_ddl(table)


@pytest.mark.parametrize("field", ["number_choice", "mapping", "either", "nested"])
def test_a_type_that_has_no_column_type_is_refused(field: str) -> None:
    kept = {"row_id": int, field: Odd.__annotations__[field]}
    odd = type("Single", (Row,), {"__annotations__": kept}, frozen=True, kw_only=True)
    with pytest.raises(TypeError, match=field):
        table_ddl(Table("single", odd, ("row_id",)))
