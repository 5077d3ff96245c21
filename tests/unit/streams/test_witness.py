"""A position is no further than the rows, and no further than what was written behind them."""

import pytest

from projections.stores.memory_positions import MemoryPositions
from projections.stores.port import Source, StoredPosition
from streams.witness import WitnessedPositions

SOURCE = Source("graph", "graph", 2)


class Stores:
    """Rows, caches, and the positions over both."""

    def __init__(self) -> None:
        self.rows, self.caches = MemoryPositions(), MemoryPositions()
        self.both = WitnessedPositions(self.rows, self.caches)

    async def held(self) -> tuple[int | None, int | None]:
        row, witness = await self.rows.position(SOURCE), await self.caches.position(SOURCE)
        return row.next_offset if row else None, witness.next_offset if witness else None


async def test_both_move_together_and_outputs_stand_beside_the_rows() -> None:
    stores = Stores()
    position = StoredPosition(7, {("feed.fanout", 1): 3})
    assert await stores.both.advance(SOURCE, position)
    assert await stores.both.position(SOURCE) == position
    assert await stores.both.positions("graph") == {SOURCE: position}
    assert await stores.held() == (7, 7)


async def test_caches_that_went_back_take_the_position_with_them() -> None:
    stores = Stores()
    await stores.both.advance(SOURCE, StoredPosition(4))
    older = await stores.caches.position(SOURCE)
    assert older is not None
    await stores.both.advance(SOURCE, StoredPosition(9, {("posts", 0): 5}), expected=4)
    stores.caches._positions[SOURCE] = older
    assert await stores.both.position(SOURCE) == StoredPosition(4, {("posts", 0): 5})
    # What is folded again moves the witness only, until it is where the rows are.
    assert await stores.both.advance(SOURCE, StoredPosition(6), expected=4)
    assert await stores.held() == (9, 6)
    assert await stores.both.advance(SOURCE, StoredPosition(9), expected=6)
    assert await stores.both.position(SOURCE) == StoredPosition(9, {("posts", 0): 5})


async def test_caches_that_were_lost_are_not_filled_from_the_logs_start() -> None:
    stores = Stores()
    await stores.both.advance(SOURCE, StoredPosition(9))
    stores.caches._positions.clear()
    assert await stores.both.position(SOURCE) == StoredPosition(9)
    assert await stores.held() == (9, 9)


async def test_a_batch_during_which_the_caches_were_lost_is_done_again() -> None:
    stores = Stores()
    await stores.both.advance(SOURCE, StoredPosition(9))
    stores.caches._positions.clear()
    assert not await stores.both.advance(SOURCE, StoredPosition(12), expected=9)
    assert await stores.held() == (9, None)


@pytest.mark.parametrize("records", [0, 3])
async def test_a_partition_has_a_witness_before_its_first_record(records: int) -> None:
    """So that a snapshot of that time is told from a loss."""
    stores = Stores()
    assert await stores.both.position(SOURCE) is None
    assert await stores.held() == (None, 0)
    await stores.rows.advance(SOURCE, StoredPosition(records))
    assert await stores.both.position(SOURCE) == StoredPosition(0)


async def test_rows_that_were_lost_are_folded_from_the_logs_start_whatever_the_caches_hold() -> None:
    stores = Stores()
    await stores.both.advance(SOURCE, StoredPosition(9))
    stores.rows._positions.clear()
    assert await stores.both.position(SOURCE) is None
    assert await stores.both.advance(SOURCE, StoredPosition(2))
    assert await stores.both.position(SOURCE) == StoredPosition(2)
