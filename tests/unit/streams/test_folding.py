"""What a projection's work writes through to the caches, also where its batch comes again."""

from uuid import UUID

import pytest

from projections.cards import cache_writes, post_key
from projections.fold import Recorded
from projections.likes import LIKES_PROJECTION
from projections.posts import POSTS_PROJECTION
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import MISSING, Missing, Source
from schemas import events as e
from schemas.topics import topic_of
from streams.folding import Folding
from streams.step import Batch
from tests.unit.streams.scenario import ANNA, post

COUNTS = ("likes", "comments", "shares", "saves", "top")


class World:
    def __init__(self) -> None:
        self.rows, self.cache, self.now_ms = MemoryRows(), MemoryCache(), 1_790_000_000_000

    async def fold(self, event: e.Event, offset: int = 0) -> None:
        projection = LIKES_PROJECTION if isinstance(event, e.PostLiked) else POSTS_PROJECTION
        topic = topic_of(type(event)).name
        recorded = Recorded(event, UUID(int=offset), topic, 0, offset, 1_790_000_000_000)
        work = Folding(projection, self.rows, self.cache, cache_writes, clock_ms=lambda: self.now_ms)
        await work.do(Batch(Source(projection.name, topic, 0), [recorded], {}))

    async def counts(self) -> list[bytes | Missing | None]:
        return (await self.cache.read([(post_key(101), COUNTS)]))[0]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_new_posts_counts_are_known_before_anybody_asks(world: World) -> None:
    await world.fold(post(101, ANNA, 501))
    assert await world.counts() == [b"0", b"0", b"0", b"0", None]
    await world.fold(e.PostLiked(actor_id=ANNA, post_id=101))
    assert await world.counts() == [b"1", b"0", b"0", b"0", None]


async def test_counts_that_a_cache_lost_are_not_taken_for_none_when_the_post_comes_again(world: World) -> None:
    await world.fold(post(101, ANNA, 501))
    await world.fold(e.PostLiked(actor_id=ANNA, post_id=101))
    world.cache.flush()
    await world.fold(post(101, ANNA, 501))
    assert await world.counts() == [MISSING] * 5


async def test_counts_are_not_taken_for_none_where_rows_were_lost_and_are_folded_again(world: World) -> None:
    world.now_ms += 3_600_000
    await world.fold(e.PostLiked(actor_id=ANNA, post_id=101))
    world.cache.flush()
    await world.fold(post(101, ANNA, 501))
    assert await world.counts() == [MISSING] * 5
