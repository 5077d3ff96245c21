"""A published post reaches every follower's timeline that exists, by fan-out, by follow, or by a mark to pull."""

from photolog.ids import SnowflakeSource
from projections.graph import FOLLOWER_SHARDS
from projections.stores.port import Source
from schemas import events as e
from schemas.topics import FEED_FANOUT
from streams.delivery import FanoutDelivery
from streams.step import Batch
from tests.unit.streams.river import NOW_MS, River, feed_of
from tests.unit.streams.scenario import ANNA, BERT, CARL, DORA, follow, post, ready


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


async def test_one_request_for_each_shard_is_appended_and_its_end_is_kept_with_the_position() -> None:
    river = River()
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    requests = river.log.of(FEED_FANOUT.name)
    outputs: dict[tuple[str, int], int] = {}
    for stored in (await river.rows.positions("posts")).values():
        outputs.update({place: offset for place, offset in stored.outputs.items() if place[0] == FEED_FANOUT.name})
    assert len(requests) == FOLLOWER_SHARDS
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
    assert (after_first, len(river.log.of(FEED_FANOUT.name))) == (FOLLOWER_SHARDS, FOLLOWER_SHARDS)
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


async def test_many_followers_are_delivered_to_page_by_page() -> None:
    river = River()
    ids = SnowflakeSource(1)
    followers = [ids.next() for _ in range(120)]
    await with_readers(river, *followers)
    river.append(*(follow(follower, ANNA) for follower in followers))
    await river.pump(batch_records=50)
    delivery = FanoutDelivery(river.rows, river.timelines, page_followers=3, clock_ms=lambda: NOW_MS)
    river.append(
        *(
            e.FanoutRequested(post_id=101, author_id=ANNA, published_ms=NOW_MS, shard=shard)
            for shard in range(FOLLOWER_SHARDS)
        )
    )
    for (topic, partition), records in river.log.partitions.items():
        if topic == FEED_FANOUT.name:
            events, _ = await river.steps[topic][0]._decoder.decode(records)
            await delivery.do(Batch(Source("feed", topic, partition), events, {r.offset: r for r in records}))
    assert [await feed_of(river, follower) for follower in followers] == [[101]] * 120
