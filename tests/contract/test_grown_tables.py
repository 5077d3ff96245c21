"""A table of an earlier version, brought up to this one: what it held is there, and new fields are kept."""

import pytest

from photolog.engines.cassandra_session import CassandraSession
from photolog.errors import Corruption
from projections.stores.cassandra_ddl import OFFSET, added_columns_ddl, added_positions_ddl, fields_of, table_ddl
from projections.stores.cassandra_rows import CassandraRows
from projections.tables import Row, Table
from projections.writes import Positioned, put
from tests.contract.sample_tables import fresh_id


class Before(Row, frozen=True, kw_only=True):
    row_id: int
    value: str


class After(Row, frozen=True, kw_only=True):
    row_id: int
    value: str
    shown: bool = True
    names: list[str] = []  # noqa: RUF012  # msgspec copies it for each row
    note: str | None = None


class OtherKey(Row, frozen=True, kw_only=True):
    row_id: int
    place: int
    value: str


BEFORE = Table("sample_grown", Before, ("row_id",))
AFTER = Table("sample_grown", After, ("row_id",))
OTHER_KEY = Table("sample_grown", OtherKey, ("row_id",), ("place",))
THERE = {**dict.fromkeys((*fields_of(BEFORE), OFFSET), "regular"), "row_id": "partition_key"}


def test_a_table_gains_the_columns_that_it_lacks_and_no_others() -> None:
    assert added_columns_ddl(BEFORE, THERE) == []
    assert added_columns_ddl(AFTER, THERE) == [
        'ALTER TABLE "sample_grown" ADD "shown" boolean',
        'ALTER TABLE "sample_grown" ADD "names" frozen<list<text>>',
        'ALTER TABLE "sample_grown" ADD "note" text',
    ]


def test_a_table_whose_key_is_another_is_refused_in_words() -> None:
    with pytest.raises(Corruption, match="sample_grown is stored without place in its key"):
        added_columns_ddl(OTHER_KEY, THERE)


def test_a_table_whose_rows_are_placed_by_other_fields_is_refused_in_words() -> None:
    placed = Table("sample_grown", OtherKey, ("row_id",), ("place",))
    before = {"row_id": "partition_key", "place": "partition_key", "value": "regular", OFFSET: "regular"}
    with pytest.raises(Corruption, match="sample_grown is stored with place, row_id as its partition key"):
        added_columns_ddl(placed, before)


def test_positions_gain_the_columns_that_they_lack() -> None:
    before = {"projection", "topic", "source", "next_offset", "outputs"}
    parked = 'ALTER TABLE "positions" ADD "parked" frozen<map<blob, frozen<list<bigint>>>>'
    assert added_positions_ddl(before) == ['ALTER TABLE "positions" ADD "counts" frozen<map<text, bigint>>', parked]
    assert added_positions_ddl({*before, "counts"}) == [parked]
    assert added_positions_ddl({*before, "counts", "parked"}) == []


@pytest.mark.integration
async def test_rows_of_before_read_as_defaults_and_new_fields_are_kept(cassandra_session: CassandraSession) -> None:
    await cassandra_session.define(table_ddl(BEFORE))
    rows, old_id, new_id = CassandraRows(cassandra_session), fresh_id(), fresh_id()
    await rows.apply([[Positioned(put(BEFORE, Before(row_id=old_id, value="old")), 1)]])
    for statement in added_columns_ddl(AFTER, THERE):
        await cassandra_session.define(statement)
    grown = CassandraRows(cassandra_session)
    new = After(row_id=new_id, value="new", shown=False, names=["n"], note="x")
    await grown.apply([[Positioned(put(AFTER, new), 2)]])
    assert await grown.get(AFTER.key(old_id)) == After(row_id=old_id, value="old")
    assert await grown.get(AFTER.key(new_id)) == new
