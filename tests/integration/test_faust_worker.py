"""Two Faust workers on the real engines: exact under repeats, rewinds, flushes and the loss of an engine."""

import time
from collections.abc import Sequence

from infra.local.stack import Stack
from photolog.errors import LogUnavailable
from photolog.ids import now_ms
from photolog.log.record import EncodedRecord
from photolog.positions import Position
from photolog.settings import Settings
from projections.catalogue import PROJECTIONS, TABLES
from projections.graph import GRAPH_COUNTS
from projections.likes import LIKE_COUNTS
from projections.stores.memory_rows import MemoryRows
from schemas import events as e
from schemas.topics import (
    HASHTAG_USES,
    LATE,
    MEDIA_REQUESTED,
    POST_DWELLS,
    POST_ENGAGEMENT,
    POST_IMPRESSIONS,
    POST_VIEWS,
    TOPICS,
)
from streams.jobs import folding_steps
from streams.replay import replay
from tests.integration.workers import Hand, WorkerProcess, eventually, published

PARTITIONS = 4
LOOKING_MS = 120_000


async def likes_of(hand: Hand, post_id: int) -> int:
    return sum(row.count for row in await hand.resources.rows.scan(LIKE_COUNTS, (post_id,), limit=100))


async def followers_of(hand: Hand, account_id: int) -> int:
    rows = await hand.resources.rows.scan(GRAPH_COUNTS, (account_id,), limit=100)
    return sum(row.count for row in rows if row.counter == "followers")


async def test_two_workers_share_every_partition(workers: list[WorkerProcess]) -> None:
    # A queue of work, telemetry, and what is read by Flink or by people alone.
    others = (MEDIA_REQUESTED, POST_DWELLS, POST_IMPRESSIONS, POST_VIEWS, HASHTAG_USES, POST_ENGAGEMENT, LATE)
    folded = {topic.name for topic in TOPICS} - {topic.name for topic in others}
    shares: list[set[tuple[str, int]]] = []

    async def shared_out() -> bool:
        shares[:] = [{(topic, partition) for _, topic, partition in worker.lags()} for worker in workers]
        return sum(map(len, shares)) == len(folded) * PARTITIONS and min(map(len, shares)) >= PARTITIONS

    await eventually(shared_out)
    assert {topic for share in shares for topic, _ in share} == folded
    assert not shares[0] & shares[1]


async def test_counts_are_exact_when_every_event_is_in_the_log_three_times(
    workers: list[WorkerProcess], hand: Hand
) -> None:
    post_id = hand.ids.next()
    actors = [hand.ids.next() for _ in range(60)]
    likes = [await hand.record(e.PostLiked(actor_id=actor, post_id=post_id)) for actor in actors]
    unlikes = [await hand.record(e.PostUnliked(actor_id=actor, post_id=post_id)) for actor in actors[:20]]
    positions = await hand.append_records(likes * 2 + unlikes * 2 + likes + unlikes)
    await hand.applied("likes", positions)
    assert await likes_of(hand, post_id) == 40


async def test_a_rewound_position_is_noticed_and_everything_applied_again_gives_the_same_rows(
    workers: list[WorkerProcess], hand: Hand
) -> None:
    account_id, followers = hand.ids.next(), [hand.ids.next() for _ in range(40)]
    positions = await hand.append(
        *(e.FollowCreated(follower_id=f, followee_id=account_id, wanted_status="active") for f in followers),
        *(e.FollowDeleted(follower_id=f, followee_id=account_id) for f in followers[:15]),
    )
    await hand.applied("graph", positions)
    before = await followers_of(hand, account_id)
    exits = [len(worker.exits) for worker in workers]
    await hand.session.execute("TRUNCATE positions")
    # Positions come back by folding the log again alone, whether a worker noticed the loss while it ran or at a seek.
    await hand.applied("graph", positions)
    assert (before, await followers_of(hand, account_id)) == (25, 25)
    assert {status for worker, seen in zip(workers, exits, strict=True) for status in worker.exits[seen:]} <= {1}


async def test_a_flushed_redis_is_noticed_and_timelines_fill_again(workers: list[WorkerProcess], hand: Hand) -> None:
    author, reader = hand.ids.next(), hand.ids.next()
    await hand.applied(
        "graph", await hand.append(e.FollowCreated(follower_id=reader, followee_id=author, wanted_status="active"))
    )
    await hand.resources.timelines.open(reader)
    first = await published(hand, author)
    await hand.settled()
    assert await hand.feed_of(reader) == [first]
    await hand.redis.flushall()
    # As above: nothing but the fan-out's topic, folded again, brings its positions back.
    await hand.settled()
    # The gateway's part: a timeline that is not there is opened, then filled from rows.
    await hand.resources.timelines.open(reader)
    second = await published(hand, author)
    await eventually(lambda: shows(hand, reader, second))


async def test_events_appended_while_a_store_is_dead_are_applied_when_it_is_back(
    workers: list[WorkerProcess], hand: Hand, stack: Stack
) -> None:
    post_id = hand.ids.next()
    stack.kill("valkey")
    positions = await hand.append(*(e.PostLiked(actor_id=hand.ids.next(), post_id=post_id) for _ in range(200)))
    await hand.applied("likes", positions)
    assert await likes_of(hand, post_id) == 200


async def test_events_appended_after_the_log_was_dead_are_applied(
    workers: list[WorkerProcess], hand: Hand, stack: Stack
) -> None:
    post_id = hand.ids.next()
    stack.kill("kafka")
    likes = [await hand.record(e.PostLiked(actor_id=hand.ids.next(), post_id=post_id)) for _ in range(50)]
    positions: list[Position] = []

    async def appended() -> bool:
        try:
            positions[:] = await hand.append_records(likes)
        except LogUnavailable:
            return False
        return True

    await eventually(appended)
    await hand.applied("likes", positions)
    assert await likes_of(hand, post_id) == 50


async def test_the_replay_engine_folds_the_log_into_the_very_rows_that_the_workers_made(
    workers: list[WorkerProcess], hand: Hand, settings: Settings
) -> None:
    resources, replayed = hand.resources, MemoryRows(now_ms)
    steps = folding_steps(PROJECTIONS, replayed, resources.serde, resources.keys, Unheard(), resources.growths)
    for topic, ours in steps.items():
        await replay(settings.kafka, topic, ours)
    tables = {table.name: table for table in TABLES}
    rows = {
        tables[table].key(*key): kept.row
        for (table, _), partition in replayed._partitions.items()
        for key, kept in partition.items()
    }
    for projection in PROJECTIONS:
        ends = await replayed.positions(projection.name)
        reached = [Position(at.topic, at.partition, stored.next_offset - 1) for at, stored in ends.items()]
        await hand.applied(projection.name, reached)
    # What ends while this looks is there for one side and not for the other.
    lasting = now_ms() + LOOKING_MS
    rows = {key: row for key, row in rows.items() if row is None or key.table.is_alive(row, lasting)}
    live = dict(zip(rows, await resources.rows.get_many(list(rows)), strict=True))
    assert len(rows) > 100
    assert {key: row for key, row in live.items() if row != rows[key]} == {}


class Unheard:
    """Takes a replay's dead letters: the live jobs have appended them long since."""

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        return []


async def test_sigterm_ends_a_worker_within_seconds_and_the_other_goes_on(
    workers: list[WorkerProcess], hand: Hand
) -> None:
    ended = workers[0]
    exits = len(ended.exits)
    began = time.monotonic()
    ended.terminate()

    async def gone() -> bool:
        return len(ended.exits) > exits

    await eventually(gone)
    took = time.monotonic() - began
    post_id = hand.ids.next()
    positions = await hand.append(*(e.PostLiked(actor_id=hand.ids.next(), post_id=post_id) for _ in range(50)))
    await hand.applied("likes", positions)
    assert ended.exits[-1] == 0
    assert took < 15
    assert await likes_of(hand, post_id) == 50


async def shows(hand: Hand, reader: int, post_id: int) -> bool:
    return post_id in await hand.feed_of(reader)
