"""A published post reaches every follower's timeline that exists, by fan-out, by follow, or by a mark to pull."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from photolog.ids import SLOTS, SnowflakeSource, new_event_id
from photolog.log.record import StoredRecord
from projections import follower_heads
from projections.fold import Recorded
from projections.graph import FOLLOWER_SHARDS, FOLLOWERS, follower_place
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.port import Delivery, Source
from schemas import events as e
from schemas.topics import FEED_FANOUT, FEED_FANOUT_PRIORITY
from streams.delivery import FanoutDelivery
from streams.fanout import chunks_for, fanout_requests
from streams.lanes import ORDINARY, PRIORITY, Lanes
from streams.step import Batch, Done
from tests.unit.projections.test_cards import POST as ANY_POST
from tests.unit.streams.river import NOW_MS, SERDE, River, feed_of
from tests.unit.streams.scenario import ANNA, BERT, CARL, DORA, account, follow, post, ready

CAUSE = StoredRecord("posts", 0, 0, b"", b"", (), NOW_MS)
POST = msgspec.structs.replace(ANY_POST, post_id=101, owner_id=ANNA, published_ms=NOW_MS, fanout_chunks=1)


async def with_readers(river: River, *readers: int) -> None:
    for reader in readers:
        await river.timelines.open(reader)


async def test_every_follower_with_a_timeline_gets_the_post_and_nobody_else() -> None:
    river = River()
    await with_readers(river, BERT, DORA)
    river.append(follow(BERT, ANNA), follow(CARL, ANNA), ready(501, ANNA))
    await river.pump()
    river.append(post(101, ANNA, 501))
    await river.pump()
    assert [await feed_of(river, reader) for reader in (BERT, CARL, DORA)] == [[101], [], []]


async def test_the_author_sees_the_own_post() -> None:
    river = River()
    await with_readers(river, ANNA)
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    assert await feed_of(river, ANNA) == [101]


async def test_one_request_for_each_chunk_is_appended_and_its_end_is_kept_with_the_position() -> None:
    river = River(chunk_followers=1)
    river.append(*(follow(1_000 + follower, ANNA) for follower in range(30)))
    await river.pump()
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    requests = river.log.of(FEED_FANOUT.name)
    outputs: dict[tuple[str, int], int] = {}
    for stored in (await river.rows.positions("posts")).values():
        outputs.update({place: offset for place, offset in stored.outputs.items() if place[0] == FEED_FANOUT.name})
    assert len(requests) == 32
    assert outputs == {
        place: len(records) for place, records in river.log.partitions.items() if place[0] == FEED_FANOUT.name
    }


async def test_a_new_follower_gets_the_posts_that_are_there() -> None:
    river = River()
    await with_readers(river, BERT)
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    river.append(follow(BERT, ANNA))
    await river.pump()
    assert await feed_of(river, BERT) == [101]


async def test_a_request_that_waits_for_approval_brings_nothing() -> None:
    river = River()
    await with_readers(river, BERT)
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    river.append(follow(BERT, ANNA, "pending"))
    await river.pump()
    before = await feed_of(river, BERT)
    river.append(e.FollowApproved(follower_id=BERT, followee_id=ANNA))
    await river.pump()
    assert (before, await feed_of(river, BERT)) == ([], [101])


async def test_a_follow_that_was_taken_back_in_the_same_batch_brings_nothing() -> None:
    river = River()
    await with_readers(river, BERT)
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    river.append(follow(BERT, ANNA), e.FollowDeleted(follower_id=BERT, followee_id=ANNA))
    await river.pump(batch_records=10)
    assert await feed_of(river, BERT) == []


async def test_the_first_pulled_post_tells_timelines_to_pull_and_later_ones_append_nothing() -> None:
    river = River(celebrity_followers=1)
    await with_readers(river, BERT)
    river.append(follow(BERT, ANNA), ready(501, ANNA), ready(502, ANNA))
    await river.pump()
    river.append(post(101, ANNA, 501))
    await river.pump()
    after_first = len(river.log.of(FEED_FANOUT.name))
    river.append(post(102, ANNA, 502))
    await river.pump()
    page = await river.timelines.page(BERT, before=None, limit=10)
    assert (after_first, len(river.log.of(FEED_FANOUT.name))) == (1, 1)
    assert page.pull_author_ids == (ANNA,)


async def test_following_an_author_of_pulled_posts_tells_the_timeline_to_pull() -> None:
    river = River(celebrity_followers=1)
    await with_readers(river, BERT)
    river.append(follow(CARL, ANNA), ready(501, ANNA))
    await river.pump()
    river.append(post(101, ANNA, 501))
    await river.pump()
    river.append(follow(BERT, ANNA))
    await river.pump()
    assert (await river.timelines.page(BERT, before=None, limit=10)).pull_author_ids == (ANNA,)


async def test_a_post_deleted_in_the_batch_that_published_it_is_not_fanned_out() -> None:
    river = River()
    river.append(ready(501, ANNA))
    await river.pump()
    published = e.PostPublished(post_id=101, owner_id=ANNA, published_ms=NOW_MS, delivery="push", media=[])
    river.append(post(101, ANNA, 501), published, e.PostDeleted(post_id=101, owner_id=ANNA))
    await river.pump(batch_records=10)
    assert river.log.of(FEED_FANOUT.name) == []


def requests_of(river: River, topic: str = FEED_FANOUT.name) -> list[e.FanoutRequested]:
    found = [SERDE.open_record(SERDE.parse(record.value), lambda _: None) for record in river.log.of(topic)]
    assert all(isinstance(event, e.FanoutRequested) for event in found)
    return found  # type: ignore[return-value]  # just asserted


async def test_a_small_authors_post_is_one_request_and_a_verified_ones_goes_into_the_priority_lane() -> None:
    river = River()
    river.append(account(ANNA), account(BERT), e.AccountVerified(account_id=BERT, operator="op"))
    river.append(follow(CARL, ANNA), follow(CARL, BERT))
    await with_readers(river, CARL)
    await river.pump()
    river.append(ready(501, ANNA), post(101, ANNA, 501), ready(502, BERT), post(102, BERT, 502))
    await river.pump()
    ordinary, ahead = requests_of(river), requests_of(river, FEED_FANOUT_PRIORITY.name)
    assert [(found.post_id, found.first_slot, found.last_slot) for found in ordinary] == [(101, 0, 1023)]
    assert [(found.post_id, found.first_slot, found.last_slot) for found in ahead] == [(102, 0, 1023)]
    assert await feed_of(river, CARL) == [102, 101]


@pytest.mark.parametrize(
    ("followers", "chunks"), [(0, 1), (1_000, 1), (1_001, 2), (16_000, 16), (16_001, 32), (99_999, 128), (10**8, 1_024)]
)
def test_a_fan_out_is_cut_into_chunks_of_bounded_size(followers: int, chunks: int) -> None:
    assert chunks_for(followers, 1_000) == chunks


@pytest.mark.parametrize("chunks", [0, 1, 2, 16, 64, 1_024, 3, 100_000])
def test_chunks_cover_every_slot_once_and_their_ids_are_always_the_same(chunks: int) -> None:
    row = msgspec.structs.replace(POST, fanout_chunks=chunks)
    requests = fanout_requests([(row, CAUSE)])
    covered = [
        slot
        for request in requests
        if isinstance(request.event, e.FanoutRequested)
        for slot in range(request.event.first_slot, request.event.last_slot + 1)
    ]
    assert covered == list(range(SLOTS))
    assert [request.event_id for request in requests] == [again.event_id for again in fanout_requests([(row, CAUSE)])]
    assert len({request.event_id for request in requests}) == len(requests)


@pytest.mark.parametrize("chunks", [1, 2, 16, 64, 1_024])
@pytest.mark.parametrize(("page_followers", "head_followers"), [(1, 5), (3, 29), (1_000, 5), (3, 120)])
async def test_every_follower_is_reached_however_few_were_counted(
    chunks: int, page_followers: int, head_followers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count of followers that cut the fan-out may be stale: a request reads on until there are no more."""
    monkeypatch.setattr(follower_heads, "HEAD_FOLLOWERS_MAX", head_followers)
    river, followers = await with_followers(120)
    requests = fanout_requests([(msgspec.structs.replace(POST, fanout_chunks=chunks), CAUSE)])
    await deliver(river, [request.event for request in requests], page_followers)
    assert [await feed_of(river, follower) for follower in followers] == [[101]] * 120


async def test_few_followers_are_read_without_their_shards() -> None:
    river, followers = await with_followers(20)
    held = {place: rows for place, rows in river.rows._partitions.items() if place[0] == FOLLOWERS.name}
    for place in held:
        del river.rows._partitions[place]
    await deliver(river, [request.event for request in fanout_requests([(POST, CAUSE)])])
    assert [await feed_of(river, follower) for follower in followers] == [[101]] * 20


async def test_who_ceased_to_follow_is_not_delivered_to() -> None:
    river, followers = await with_followers(20)
    river.append(e.FollowDeleted(follower_id=followers[7], followee_id=ANNA))
    await river.pump()
    await deliver(river, [request.event for request in fanout_requests([(POST, CAUSE)])])
    assert [bool(await feed_of(river, follower)) for follower in followers] == [n != 7 for n in range(20)]


async def test_a_request_of_an_older_version_stands_for_a_whole_shard() -> None:
    river, followers = await with_followers(120)
    for shard in range(FOLLOWER_SHARDS):
        request = e.FanoutRequested(post_id=101, author_id=ANNA, published_ms=NOW_MS, shard=shard)
        await deliver(river, [request], page_followers=3)
        reached = {follower for follower in followers if await feed_of(river, follower) == [101]}
        assert reached == {follower for follower in followers if follower_place(follower)[0] <= shard}


async def test_one_chunk_reaches_its_own_slots_and_no_others() -> None:
    river, followers = await with_followers(200)
    chunk = fanout_requests([(msgspec.structs.replace(POST, fanout_chunks=64), CAUSE)])[37].event
    assert isinstance(chunk, e.FanoutRequested)
    await deliver(river, [chunk], page_followers=1)
    reached = {follower for follower in followers if await feed_of(river, follower) == [101]}
    assert reached == {f for f in followers if chunk.first_slot <= follower_place(f)[1] <= chunk.last_slot}
    assert reached


@pytest.mark.parametrize(("first_slot", "last_slot", "shard"), [(5, 4, 0), (0, SLOTS, 0), (-1, -1, 16), (-1, -1, -1)])
async def test_slots_that_there_are_not_are_a_dead_letter(first_slot: int, last_slot: int, shard: int) -> None:
    river, _ = await with_followers(1)
    request = e.FanoutRequested(
        post_id=1, author_id=ANNA, published_ms=NOW_MS, shard=shard, first_slot=first_slot, last_slot=last_slot
    )
    assert len((await deliver(river, [request])).failed) == 1


async def with_followers(count: int) -> tuple[River, list[int]]:
    river = River()
    ids = SnowflakeSource(1, lambda: NOW_MS)  # the same ones in every run
    followers = [ids.next() for _ in range(count)]
    await with_readers(river, *followers)
    river.append(*(follow(follower, ANNA) for follower in followers))
    await river.pump(batch_records=50)
    return river, followers


async def deliver(river: River, requests: Sequence[e.Event], page_followers: int = 1_000) -> Done:
    work = FanoutDelivery(river.rows, river.timelines, page_followers=page_followers, clock_ms=lambda: NOW_MS)
    return await work.do(batch_of(requests))


def batch_of(requests: Sequence[e.Event], topic: str = FEED_FANOUT.name) -> Batch:
    events = [Recorded(event, new_event_id(), topic, 0, place, NOW_MS) for place, event in enumerate(requests)]
    return Batch(Source("feed", topic, 0), events, dict.fromkeys(range(len(events)), CAUSE))


class Gated(MemoryTimelines):
    """Timelines that tell of every delivery and let it go on only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[int] = []
        self.permits = asyncio.Semaphore(0)

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        await self.permits.acquire()
        self.delivered += sorted({delivery.entry.author_id for delivery in deliveries})
        return await super().deliver(deliveries)


async def test_verified_authors_posts_are_delivered_before_a_backlog_of_ordinary_ones() -> None:
    river, _ = await with_followers(3)
    river.append(*(follow(follower, BERT) for follower in (2_001, 2_002)))
    await river.pump()
    timelines, lanes = Gated(), Lanes()
    ordinary = FanoutDelivery(river.rows, timelines, lanes, ORDINARY)
    ahead = FanoutDelivery(river.rows, timelines, lanes, PRIORITY)
    backlog = [whole(e.FanoutRequested, number, ANNA) for number in range(2_000)]
    verified = [whole(e.PriorityFanoutRequested, 9_000 + number, BERT) for number in range(500)]
    behind = asyncio.create_task(ordinary.do(batch_of(backlog)))
    timelines.permits.release()
    while not timelines.delivered:  # noqa: ASYNC110  # what is waited for is one turn of the loop away
        await asyncio.sleep(0)
    first = asyncio.create_task(ahead.do(batch_of(verified, FEED_FANOUT_PRIORITY.name)))
    while not first.done():
        timelines.permits.release()
        await asyncio.sleep(0)
    at_hand = list(timelines.delivered)
    assert not behind.done()
    for _ in range(2_000):
        timelines.permits.release()
    await behind
    parts = timelines.delivered.count(BERT)
    assert at_hand.count(BERT) == parts > 5
    # What was in flight is all that may come before the last of them.
    assert at_hand.count(ANNA) <= 4 < timelines.delivered.count(ANNA)


def whole(kind: type[e.FanoutRequested], post_id: int, author_id: int) -> e.FanoutRequested:
    """A request for all followers of an author."""
    return kind(post_id=post_id, author_id=author_id, published_ms=NOW_MS, shard=0, first_slot=0, last_slot=SLOTS - 1)


async def test_verified_authors_who_never_stop_do_not_stop_the_others() -> None:
    lanes = Lanes()
    turns = 0

    async def ordinary() -> None:
        nonlocal turns
        for _ in range(3):
            await lanes.turn()
            turns += 1

    async def overlapping(begin: int) -> None:
        """Someone is always in hand: the next begins before the one before it ends."""
        for _ in range(begin):
            await asyncio.sleep(0)
        while turns < 3:
            with lanes.ahead():
                for _ in range(6):
                    await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(ordinary(), overlapping(0), overlapping(3)), 10)
    assert turns == 3
