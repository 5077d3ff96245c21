"""A big author's fan-out is shared by two workers, and a verified author's post passes a backlog, on real engines."""

import asyncio
import re

import httpx

from photolog.ids import SLOTS
from projections.graph import GRAPH_COUNTS
from projections.posts import POSTS
from schemas import events as e
from schemas.topics import FEED_FANOUT
from tests.integration.test_fanout_crash import fed
from tests.integration.workers import Hand, WorkerProcess, eventually, published
from tests.unit.streams.scenario import account

BIG = 3_000  # followers: three chunks' worth at the default size
BACKLOG = 6_000
_DELIVERIES = re.compile(r'photolog_deliveries_total\{lane="([a-z]+)"\} ([0-9.e+]+)')


def delivered(worker: WorkerProcess, lane: str) -> float:
    """Entries that timelines took from this worker's lane."""
    text = httpx.get(f"http://127.0.0.1:{worker.metrics_port}/metrics", timeout=5).text
    return sum(float(found[2]) for found in _DELIVERIES.finditer(text) if found[1] == lane)


async def followed(hand: Hand, author: int, count: int) -> list[int]:
    """So many followers of an author, each with a timeline, once the rows know of them."""
    followers = [hand.ids.next() for _ in range(count)]
    follows = (e.FollowCreated(follower_id=one, followee_id=author, wanted_status="active") for one in followers)
    await hand.applied("graph", await hand.append(*follows))
    for first in range(0, count, 100):
        await asyncio.gather(*map(hand.resources.timelines.open, followers[first : first + 100]))
    return followers


async def test_two_workers_share_the_chunks_of_a_big_author(workers: list[WorkerProcess], hand: Hand) -> None:
    author = hand.ids.next()
    followers = await followed(hand, author, BIG)
    counts = await hand.resources.rows.scan(GRAPH_COUNTS, (author,), limit=100)
    assert sum(row.count for row in counts if row.counter == "followers") == BIG
    before = [delivered(worker, "ordinary") for worker in workers]
    # Four chunks each; that all chunks of several posts fall to one worker is all but impossible.
    posts = [await published(hand, author) for _ in range(6)]
    rows = await hand.resources.rows.get_many([POSTS.key(post_id) for post_id in posts])
    assert [row.fanout_chunks for row in rows if row is not None] == [4] * len(posts)
    await hand.settled()
    feeds = await asyncio.gather(*map(hand.feed_of, followers))
    assert [feed for feed in feeds if feed != posts[::-1]] == []
    shares = [delivered(worker, "ordinary") - held for worker, held in zip(workers, before, strict=True)]
    assert sum(shares) == len(posts) * BIG
    assert min(shares) > 0


async def test_a_verified_authors_post_passes_a_backlog(workers: list[WorkerProcess], hand: Hand) -> None:
    """When it is in its follower's feed, ordinary requests that were appended before are still waiting."""
    crowded, verified = hand.ids.next(), hand.ids.next()
    await followed(hand, crowded, 100)
    (reader,) = await followed(hand, verified, 1)
    vouched = await hand.append(account(verified), e.AccountVerified(account_id=verified, operator="op"))
    await hand.applied("accounts", vouched)
    backlog = [
        e.FanoutRequested(
            post_id=hand.ids.next(),
            author_id=crowded,
            published_ms=1 + number,
            shard=0,
            first_slot=0,
            last_slot=SLOTS - 1,
        )
        for number in range(BACKLOG)
    ]
    start = await fed(hand)
    positions = await hand.append(*backlog)
    post_id = await published(hand, verified)

    async def shown() -> bool:
        return await hand.feed_of(reader) == [post_id]

    await eventually(shown)
    stored = await hand.positions("feed")
    ends = {position.partition: position.offset + 1 for position in positions}
    waiting = sum(
        max(0, ends[source.partition] - at.next_offset)
        for source, at in stored.items()
        if source.topic == FEED_FANOUT.name and source.partition in ends
    )
    assert waiting > 0, "the backlog was gone before the verified author's post came"
    await hand.settled()
    assert await fed(hand) > start
