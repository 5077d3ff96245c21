"""Records come again: positions are set back to the middle of the log, and clients send everything again."""

import asyncio

from projections.catalogue import PROJECTIONS
from projections.stores.port import Source, StoredPosition
from schemas import events as e
from tests.integration.fault_checks import caught_up, holds
from tests.integration.fault_wishes import posting
from tests.integration.fault_world import FaultWorld, stopped
from tests.integration.workers import Hand, WorkerProcess, eventually

FANS = 4_000
AGAIN = 300


async def positions(hand: Hand) -> dict[Source, int]:
    """How far every projection has come."""
    found = [await hand.positions(name) for name in (*(projection.name for projection in PROJECTIONS), "feed")]
    return {source: stored.next_offset for stored_of in found for source, stored in stored_of.items()}


async def rewind(hand: Hand) -> int:
    """Set every projection back to the middle of what it has applied; how many records will come again."""
    stood = await positions(hand)
    await hand.session.execute("TRUNCATE positions")
    async for key in hand.redis.scan_iter("positions:*"):
        await hand.redis.delete(key)
    for source, next_offset in stood.items():
        store = hand.resources.timelines if source.projection == "feed" else hand.resources.rows
        assert await store.advance(source, StoredPosition(next_offset // 2))
    now = await positions(hand)
    assert now == {source: next_offset // 2 for source, next_offset in stood.items()}
    return sum(stood.values()) - sum(now.values())


async def test_positions_set_back_make_thousands_of_records_come_again_and_nothing_changes(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld
) -> None:
    assert await town.wish(posting(town.residents[0]))
    liked = town.posts[-10:]
    fans = (e.PostLiked(actor_id=hand.ids.next(), post_id=liked[number % len(liked)]) for number in range(FANS))
    await hand.append(*fans)
    async with town.living():
        await caught_up_once(workers, hand)
        with stopped(*(worker.process.pid for worker in workers)):
            again = await rewind(hand)
    assert again > FANS / 2
    await caught_up(hand, workers)
    await holds(town, hand, workers)
    repeats = sum([await asyncio.to_thread(worker.shown, "photolog_repeats_total") for worker in workers])
    assert repeats > FANS / 4, "few records came again"


async def caught_up_once(workers: list[WorkerProcess], hand: Hand) -> None:
    """Return once the likes of all fans are applied: there is a middle to go back to."""

    async def applied() -> bool:
        return sum(at for source, at in (await positions(hand)).items() if source.projection == "likes") >= FANS

    await eventually(applied)


async def test_clients_that_send_everything_again_under_its_key_change_nothing(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld
) -> None:
    async with town.living():
        await asyncio.sleep(3)
    before, done = town.log.repeats, town.acknowledged[-AGAIN:]
    assert all(await asyncio.gather(*(town.wish(one.wish, key=one.key) for one in done)))
    assert {one.deed for one in town.acknowledged[-AGAIN:]} == {one.deed for one in done}
    await holds(town, hand, workers)
    assert town.log.repeats - before >= len(done)
