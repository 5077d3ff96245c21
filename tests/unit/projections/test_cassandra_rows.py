"""What the Cassandra row store asks of its session; that the answers are right is the contract suite's business."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from photolog.errors import Corruption, StoreUnavailable
from photolog.ids import EPOCH_MS
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.cassandra_statements import TableStatements, write_timestamp
from projections.tables import Row, Table
from projections.writes import Positioned, put, remove
from tests.unit.projections.membership import COUNTS, LISTED, MEMBERS, Count, event_id_at


class Younger(Row, frozen=True, kw_only=True):
    row_id: int
    value: str
    added_later: str = "default"
    added_optional: str | None = None


YOUNGER = Table("younger", Younger, ("row_id",))


class RecordingSession:
    """Notes each group of statements, and fails from some group on."""

    def __init__(self, fail_from: int | None = None) -> None:
        self.groups: list[list[str]] = []
        self._fail_from = fail_from

    async def execute(self, cql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return (await self.execute_all([(cql, parameters)]))[0]

    async def execute_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
        self.groups.append([cql for cql, _ in statements])
        if self._fail_from is not None and len(self.groups) > self._fail_from:
            raise StoreUnavailable("no answer")
        return [[] for _ in statements]

    async def write_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        await self.execute_all(statements)

    async def pages(self, cql: str) -> AsyncIterator[list[Any]]:
        self.groups.append([cql])
        yield []


def counted(offset: int) -> Positioned:
    return Positioned(put(COUNTS, Count(post_id=1, source=0, count=offset)), offset)


async def test_a_stage_that_was_not_acknowledged_keeps_the_next_from_starting() -> None:
    session = RecordingSession(fail_from=1)
    with pytest.raises(StoreUnavailable):
        await CassandraRows(session).apply([[counted(1), counted(2)], [counted(3)], [counted(4)]])
    assert [len(group) for group in session.groups] == [2, 1]


async def test_aggregates_are_read_before_what_is_written_before_them() -> None:
    session = RecordingSession()
    keys = [COUNTS.key(9, 0), MEMBERS.key(1, 9), LISTED.key(9, 1, 1), MEMBERS.key(2, 9), MEMBERS.key(1, 9)]
    await CassandraRows(session).load(keys)
    tables = [[cql.split('FROM "')[1].split('"')[0] for cql in group] for group in session.groups]
    assert tables == [["sample_members"] * 2, ["sample_counts", "sample_listed"]]


def test_a_removed_aggregate_keeps_nothing_but_its_key_and_its_memory() -> None:
    event_id = event_id_at(EPOCH_MS)
    _, values = TableStatements(MEMBERS).write(Positioned(remove(MEMBERS.key(1, 9)), 7, (event_id,)))
    assert values == (1, 9, None, 7, event_id.bytes, False, write_timestamp(7))


def test_the_log_orders_write_timestamps() -> None:
    places = [
        (0, 0, 0),
        (0, 0, 1),
        (0, 0, 4_095),
        (0, 1, 0),
        (0, 2**40 - 1, 4_095),
        (1, 0, 0),
        (2**11 - 1, 2**40 - 1, 4_095),
    ]
    stamps = [write_timestamp(offset, epoch=epoch, ordinal=ordinal) for epoch, offset, ordinal in places]
    assert stamps == sorted(set(stamps))
    assert stamps[0] == 0
    assert stamps[-1] == 2**63 - 1


@pytest.mark.parametrize(
    ("offset", "epoch", "ordinal"), [(-1, 0, 0), (2**40, 0, 0), (0, -1, 0), (0, 2**11, 0), (0, 0, -1), (0, 0, 4_096)]
)
def test_a_place_that_does_not_fit_a_timestamp_is_refused(offset: int, epoch: int, ordinal: int) -> None:
    with pytest.raises(ValueError, match="timestamp"):
        write_timestamp(offset, epoch=epoch, ordinal=ordinal)


def test_a_field_younger_than_the_stored_row_takes_its_default() -> None:
    row = TableStatements(YOUNGER).row((1, "v", None, None, 5))
    assert row == Younger(row_id=1, value="v", added_later="default", added_optional=None)


def test_a_stored_row_without_a_needed_field_is_corruption() -> None:
    with pytest.raises(Corruption, match=r"younger.*value"):
        TableStatements(YOUNGER).row((1, None, "x", None, 5))
