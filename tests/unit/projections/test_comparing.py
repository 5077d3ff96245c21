"""Comparing two builds of a table in one pass."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.comparing import Comparison, Digest
from projections.packing import ranked_key
from projections.stores.memory_rows import MemoryRows
from projections.tables import RowKey, Table
from projections.writes import Positioned, put
from tests.contract.sample_tables import AGGREGATES, ASCENDING, DESCENDING, MIXED, Aggregate, Entry

small = st.integers(0, 3)
entries = st.dictionaries(st.tuples(small, small, small, small), st.sampled_from("ab"), max_size=25)
Held = Mapping[tuple[int, ...], str]


async def stored(table: Table[Entry], held: Held) -> MemoryRows:
    rows = MemoryRows()
    for (owner_id, first, second, third), value in held.items():
        row = Entry(owner_id=owner_id, first=first, second=second, third=third, value=value)
        await rows.apply([[Positioned(put(table, row), 1)]])
    return rows


@pytest.mark.parametrize("table", [ASCENDING, DESCENDING, MIXED], ids=lambda table: table.name)
@given(entries, entries)
async def test_every_row_that_differs_is_found_and_no_other(table: Table[Entry], one: Held, other: Held) -> None:
    comparison = Comparison(table)
    left, right = await stored(table, one), await stored(table, other)
    found = [key async for key in comparison.mismatches(left.ranked_pages(table), right.ranked_pages(table))]
    fields = ("owner_id", "first", "second", "third")
    order = [fields.index(field) for field in table.key_fields]
    expected = {
        RowKey(table, tuple(values[place] for place in order))
        for values in one.keys() | other.keys()
        if one.get(values) != other.get(values)
    }
    assert set(found) == expected
    assert len(found) == len(expected)
    assert (comparison.live.rows, comparison.other.rows) == (len(one), len(other))
    assert (str(comparison.live) == str(comparison.other)) == (one == other)


def test_a_digest_does_not_ask_for_an_order() -> None:
    def digest(numbers: range) -> str:
        made = Digest()
        for number in numbers:
            made.add(str(number).encode())
        return str(made)

    assert digest(range(5)) == digest(range(4, -1, -1))
    assert digest(range(4)) != digest(range(5))
    assert str(Digest()) == "0" * 32


async def test_tables_that_hold_the_same_have_other_digests() -> None:
    digests = set()
    for table in (ASCENDING, DESCENDING):
        rows, comparison = await stored(table, {(1, 2, 3, 0): "a"}), Comparison(table)
        assert [key async for key in comparison.mismatches(rows.ranked_pages(table), rows.ranked_pages(table))] == []
        digests.add(str(comparison.live))
    assert len(digests) == 2


async def test_a_row_that_was_removed_is_no_row() -> None:
    rows, key = MemoryRows(), AGGREGATES.key(1)
    await rows.apply([[Positioned(put(AGGREGATES, Aggregate(aggregate_id=2, value="x")), 1)]])
    assert key.table.aggregate
    pages = [page async for page in rows.ranked_pages(AGGREGATES)]
    assert [ranked_key(AGGREGATES, ranked) for page in pages for ranked in page] == [(2,)]
