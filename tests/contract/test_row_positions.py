"""Positions in a row store: forward only, with the outputs that were acknowledged."""

import asyncio

from projections.stores.counts import Counts
from projections.stores.parked import Parked
from projections.stores.port import RowStore, Source, StoredPosition
from tests.contract.sample_tables import fresh_id


def fresh_source(partition: int = 0) -> Source:
    return Source(f"projection-{fresh_id()}", "posts", partition)


async def test_a_new_store_has_no_position(rows: RowStore) -> None:
    source = fresh_source()
    assert await rows.position(source) is None
    assert await rows.positions(source.projection) == {}


async def test_a_position_comes_back_with_its_outputs(rows: RowStore) -> None:
    source = fresh_source()
    stored = StoredPosition(41, {("feed.fanout", 0): 7, ("feed.fanout", 12): 2**40, ("a-b_c.d", 3): 0})
    await rows.advance(source, stored)
    assert await rows.position(source) == stored


async def test_counts_and_parked_keys_come_back_with_their_position(rows: RowStore) -> None:
    source = fresh_source()
    first = StoredPosition(3, counts=Counts(consumed=3, applied=1, duplicates=1, dead=1, below=3))
    parked = {b"17": Parked(3, since=4, settled=3, last=2**50), b"\x00\xff|": Parked(0, 8, 8, 8)}
    second = StoredPosition(9, counts=Counts(9, 2, 3, 1, 1, 2, below=9), parked=parked)
    assert await rows.advance(source, first)
    assert await rows.advance(source, StoredPosition(2, counts=Counts(2, 2, below=2)))
    assert await rows.position(source) == first
    assert await rows.advance(source, second, expected=3)
    assert await rows.positions(source.projection) == {source: second}


async def test_a_store_that_holds_less_than_a_batch_began_with_does_not_take_its_position(rows: RowStore) -> None:
    source = fresh_source()
    assert await rows.advance(source, StoredPosition(5), expected=0)
    assert not await rows.advance(source, StoredPosition(9), expected=8)
    assert await rows.position(source) == StoredPosition(5)


async def test_a_position_never_goes_back(rows: RowStore) -> None:
    source = fresh_source()
    await rows.advance(source, StoredPosition(10, {("feed.fanout", 0): 5}))
    await rows.advance(source, StoredPosition(9, {("feed.fanout", 0): 99}))
    await rows.advance(source, StoredPosition(10, {("feed.fanout", 0): 99}))
    assert await rows.position(source) == StoredPosition(10, {("feed.fanout", 0): 5})
    await rows.advance(source, StoredPosition(11))
    assert await rows.position(source) == StoredPosition(11)


async def test_of_workers_that_advance_at_once_the_farthest_wins(rows: RowStore) -> None:
    source = fresh_source()
    offsets = [5, 30, 12, 29, 1, 30, 17]
    await asyncio.gather(*(rows.advance(source, StoredPosition(at, {("feed.fanout", 1): at})) for at in offsets))
    assert await rows.position(source) == StoredPosition(30, {("feed.fanout", 1): 30})


async def test_positions_are_those_of_one_projection(rows: RowStore) -> None:
    one, other = fresh_source(0), fresh_source(0)
    second = Source(one.projection, "posts", 1)
    another_topic = Source(one.projection, "media.transcoding.completed", 0)
    for offset, source in enumerate((one, second, another_topic, other)):
        await rows.advance(source, StoredPosition(offset))
    assert await rows.positions(one.projection) == {
        one: StoredPosition(0),
        second: StoredPosition(1),
        another_topic: StoredPosition(2),
    }
