"""What the benchmark of subscriptions tells of: likes that are public, and read models that make nobody wait."""

import time

from benchmarks.feed_world import account_row, posted
from benchmarks.records import ends_of, record_of
from photolog.ids import SnowflakeSource, now_ms
from photolog.settings import Settings
from projections.accounts import ACCOUNTS
from projections.likes import LIKES, LikeRow
from projections.posts import PostRow
from projections.stores.port import Source, StoredPosition
from projections.writes import Positioned, Put, Write, put
from schemas import topics
from schemas.events import PostLiked
from streams.bootstrap import connect

_ACTORS = 100
_LIKES = 1_000
_FAR_AHEAD = 1 << 30


class StreamTown:
    """Likes that anybody may know of, again and again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids = SnowflakeSource(1_021)
        self._at_ms = now_ms()
        self._likes: list[PostLiked] = []
        self.began_seconds = 0.0

    async def seed(self) -> None:
        """Write the rows that make them public, and positions that make nobody wait."""
        actors = [self._ids.next() for _ in range(_ACTORS)]
        writes: list[Write] = [
            put(ACCOUNTS, account_row(actor_id, f"somebody_{actor_id}", self._at_ms)) for actor_id in actors
        ]
        writes += [write for actor_id in actors for write in posted(self._ids, actor_id, self._at_ms)]
        rows = [write.row for write in writes if isinstance(write, Put)]
        posts = [row.post_id for row in rows if isinstance(row, PostRow)]
        for number in range(_LIKES):
            actor_id, post_id = actors[number % len(actors)], posts[number // 10 % len(posts)]
            self._likes.append(PostLiked(actor_id=actor_id, post_id=post_id))
            writes.append(put(LIKES, LikeRow(actor_id=actor_id, post_id=post_id, liked_ms=self._at_ms)))
        async with connect(self._settings) as resources:
            await resources.rows.apply([[Positioned(write, 0) for write in writes]])
            for number in range(self._settings.kafka.partitions):
                source = Source("likes", topics.LIKES.name, number)
                await resources.rows.advance(source, StoredPosition(_FAR_AHEAD))

    async def append(self, events: int) -> dict[int, int]:
        """Put so many into the topic at once, from `began_seconds` on; where each partition ends then."""
        async with connect(self._settings) as resources:
            likes = (self._likes[number % _LIKES] for number in range(events))
            records = [record_of(resources.serde, like, self._at_ms) for like in likes]
            self.began_seconds = time.monotonic()
            positions = await resources.log.append_all(records)
        return ends_of(positions)
