"""Deliveries a second: requests for fan-out through the job's work and the timeline store, against bare ZADDs.

Ours folds `FanoutRequested`, pages through the followers (from memory: this is not a measurement of Cassandra), finds
out which timelines exist, adds, trims and stores its position. The opponent adds to sorted sets of the same size.
"""

import asyncio
import random
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import uvloop
from pydantic import SecretStr

from benchmarks import zadd
from benchmarks.result import Result, paired
from infra.local.ports import pick_free_port_base, ports_from
from infra.local.valkey_node import valkey_node
from photolog.engines.redis_client import RedisClient, connect_redis
from photolog.ids import SLOTS, SnowflakeSource, new_event_id, now_ms
from photolog.settings import RedisSettings
from projections.fold import Recorded
from projections.follower_heads import FOLLOWER_HEADS, FollowerHeadRow
from projections.graph import FollowerRow, follower_place
from projections.stores.port import Source, StoredPosition, TimelineEntry
from projections.stores.redis_feeds import RedisTimelines, timeline_key
from schemas.events import FanoutRequested
from schemas.topics import FEED_FANOUT
from streams.delivery import NAME, FanoutDelivery
from streams.step import Batch

_ACCOUNTS = 4_000
_AUTHORS = 40
_FOLLOWERS = 1_000
_POSTS = 60
_BATCH = 500
_ENTRIES = 300
_LIFE_MS = 3_600_000
_DELIVERIES = _POSTS * _FOLLOWERS


def run(rounds: int = 5) -> list[Result]:
    """Against sets that hold what a timeline holds, and against sets that are nearly empty."""
    with tempfile.TemporaryDirectory(prefix="photolog-fanout-") as folder:
        port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
        with valkey_node(Path(folder), port) as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return _measure(runner, url, rounds)


def _measure(runner: asyncio.Runner, url: str, rounds: int) -> list[Result]:
    port = urlsplit(url).port or 0
    world = runner.run(_World.prepare(url))
    bytes_each = runner.run(world.bytes_per_timeline())

    def against(sets: Callable[[], Any]) -> float:
        sets()
        return zadd.rate(port, _DELIVERIES, _ACCOUNTS)

    compare = partial(
        paired,
        unit="deliveries/s",
        ours=lambda: runner.run(world.deliver()),
        opponent_name=zadd.name(),
        rounds=rounds,
    )
    results = [
        compare(
            "fanout",
            opponent=lambda: against(lambda: runner.run(world.copy_sets())),
            aim=0.6,
            note=f"sets of {_ENTRIES} entries as timelines are; a timeline of {_ENTRIES} takes {bytes_each:,} bytes",
        ),
        compare(
            "fanout, small sets",
            opponent=lambda: against(lambda: runner.run(world.drop_sets())),
            aim=None,
            note="the opponent begins with empty sets, ours does not",
        ),
    ]
    runner.run(world.close())
    return results


class _World:
    """Accounts with full timelines, authors whom many of them follow, and the job's work over both."""

    def __init__(self, client: RedisClient) -> None:
        ids, drawn = SnowflakeSource(1), random.Random(7)
        self._ids = ids
        self._client = client
        self._timelines = RedisTimelines(client, _ENTRIES, _LIFE_MS)
        self._accounts = [ids.next() for _ in range(_ACCOUNTS)]
        self._authors = [ids.next() for _ in range(_AUTHORS)]
        followers = {author: drawn.sample(self._accounts, _FOLLOWERS) for author in self._authors}
        self._followers = _Followers(followers)
        # The work scans followers and nothing else of a row store.
        self._work = FanoutDelivery(self._followers, self._timelines)  # type: ignore[arg-type]
        self._offsets = count()

    @classmethod
    async def prepare(cls, url: str) -> "_World":
        world = cls(connect_redis(RedisSettings(url=SecretStr(url))))
        for first in range(0, _ACCOUNTS, 50):
            await asyncio.gather(*map(world._fill, world._accounts[first : first + 50]))
        return world

    async def close(self) -> None:
        await self._client.aclose()

    async def deliver(self) -> float:
        """Every post to every follower; deliveries a second."""
        requests = self._requests()
        started = perf_counter()
        for first in range(0, len(requests), _BATCH):
            batch = requests[first : first + _BATCH]
            source = Source(NAME, FEED_FANOUT.name, 0)
            await self._work.do(Batch(source, batch, {}))
            await self._timelines.advance(source, StoredPosition(batch[-1].offset + 1))
        seconds = perf_counter() - started
        await self._check(requests[-1].event)
        return _DELIVERIES / seconds

    async def bytes_per_timeline(self) -> int:
        """What the server takes for one that was just filled."""
        return int(await self._client.execute_command("MEMORY", "USAGE", timeline_key(self._accounts[0])))

    async def drop_sets(self) -> None:
        """Let the opponent begin with nothing."""
        await self._client.execute_command("UNLINK", *map(zadd.key, range(_ACCOUNTS)))

    async def copy_sets(self) -> None:
        """Give the opponent sets with as many members as a timeline has, of the same size."""
        template = [word for number in range(_ENTRIES) for word in (now_ms() + number, b"seed%012d" % number)]
        await self._client.execute_command("DEL", "template")
        await self._client.execute_command("ZADD", "template", *template)
        pipeline = self._client.pipeline(transaction=False)
        for number in range(_ACCOUNTS):
            pipeline.execute_command("COPY", "template", zadd.key(number), "REPLACE")
        await pipeline.execute()

    async def _fill(self, account_id: int) -> None:
        opened = await self._timelines.open(account_id)
        entries = [TimelineEntry(now_ms() - number, self._ids.next(), self._ids.next()) for number in range(_ENTRIES)]
        await self._timelines.merge(account_id, entries, low_mark_ms=1, opened=opened)

    def _requests(self) -> list[Recorded]:
        """The requests of one round, in the order in which the log would hold them."""
        found = []
        for number in range(_POSTS):
            post_id, author_id, published_ms = self._ids.next(), self._authors[number % _AUTHORS], now_ms()
            event = FanoutRequested(
                post_id=post_id,
                author_id=author_id,
                published_ms=published_ms,
                shard=0,
                first_slot=0,
                last_slot=SLOTS - 1,
            )
            found.append(Recorded(event, new_event_id(), FEED_FANOUT.name, 0, next(self._offsets), published_ms))
        return found

    async def _check(self, event: Any) -> None:
        """A benchmark that delivers nothing would be fast."""
        follower_id = self._followers.any_follower(event.author_id)
        page = await self._timelines.page(follower_id, before=None, limit=2 * _POSTS)
        if event.post_id not in {entry.post_id for entry in page.entries}:
            raise RuntimeError("the last post did not arrive")


class _Followers:
    """Followers in memory, in slot order, as the row store gives them."""

    def __init__(self, followers: dict[int, list[int]]) -> None:
        self._partitions: dict[tuple[int, int], list[FollowerRow]] = {}
        for author_id, follower_ids in followers.items():
            for follower_id in follower_ids:
                shard, slot = follower_place(follower_id)
                row = FollowerRow(followee_id=author_id, shard=shard, slot=slot, follower_id=follower_id, since_ms=0)
                self._partitions.setdefault((author_id, shard), []).append(row)
        for rows in self._partitions.values():
            rows.sort(key=_place)

    async def scan_partitions(
        self, table: object, partitions: Sequence[Any], *, limit: int
    ) -> list[Sequence[FollowerRow | FollowerHeadRow]]:
        if table is FOLLOWER_HEADS:
            return [[_overflowed(author_id)] for (author_id,) in partitions]
        return [self._partitions.get(partition, [])[:limit] for partition in partitions]

    async def scan(
        self, table: object, partition: tuple[int, int], *, after: tuple[int, int], until: None, limit: int
    ) -> Sequence[FollowerRow]:
        rows = self._partitions.get(partition, [])
        first = bisect_right(rows, after, key=_place)
        return rows[first : first + limit]

    def any_follower(self, author_id: int) -> int:
        return self._partitions[author_id, 0][0].follower_id


def _overflowed(author_id: int) -> FollowerHeadRow:
    """A thousand followers are too many for a head."""
    return FollowerHeadRow(followee_id=author_id, source=0, overflowed=True, follower_ids=[])


def _place(row: FollowerRow) -> tuple[int, int]:
    return row.slot, row.follower_id
