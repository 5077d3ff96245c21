"""The fan-out end to end on one core: a Faust worker over real Kafka, Cassandra and Redis, against Faust that does
nothing with the same topic.

Each event asks to deliver a post of an author with ten followers, each of whom has a full timeline. Ours decodes it,
reads the followers, adds to their timelines and stores its position; the opponent takes batches and acknowledges. The
backlog lies in the topic before either begins, and each has a processor of its own: the engines keep to the others.
"""

import asyncio
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from benchmarks.cores import own_core
from benchmarks.engines import migrated_engines
from benchmarks.fanout_worker import Backlog, Pace
from benchmarks.feed_gateway import stack_settings
from benchmarks.programs import program
from benchmarks.records import ends_of, record_of
from benchmarks.result import Result, paired
from photolog.ids import SLOTS, SnowflakeSource, now_ms
from photolog.log.record import EncodedRecord
from photolog.settings import Settings
from projections.follower_heads import FOLLOWER_HEADS, FollowerHeadRow
from projections.graph import FOLLOWERS, FollowerRow, follower_place
from projections.stores.port import TimelineEntry
from projections.writes import Positioned, put
from schemas.events import FanoutRequested
from streams.bootstrap import connect
from streams.jobs import JobResources

_AUTHORS = 2_000
_FOLLOWERS = 10
_ACCOUNTS = 4_000
_REQUESTS = 12_000
_AT_ONCE = 50


def run(rounds: int = 5) -> list[Result]:
    """Requests a second, from the first batch that Faust hands over until the stored positions are at the end."""
    with own_core() as core, migrated_engines("fanout") as environment:
        return [_measure(environment, core, rounds)]


def _measure(environment: Mapping[str, str], core: int, rounds: int) -> Result:
    world = _World(stack_settings(environment))
    asyncio.run(world.seed())
    paces: dict[str, list[Pace]] = {"ours": [], "bare": []}
    backlog = Backlog("", core, {}, {})

    def paced(side: str) -> float:
        told = msgspec.json.encode(msgspec.structs.replace(backlog, side=side))
        pace = msgspec.json.decode(program(environment, told, "-m", "benchmarks.fanout_worker"), type=Pace)
        paces[side].append(pace)
        return pace.events_per_second

    def ours() -> float:
        nonlocal backlog
        backlog = asyncio.run(world.append(core, backlog.ends))
        return paced("ours")

    result = paired(
        "fanout-stream",
        "requests/s",
        ours,
        lambda: paced("bare"),
        opponent_name="Faust doing nothing with the same topic",
        aim=0.3,
        rounds=rounds,
    )
    processor = {side: statistics.median(pace.processor_us for pace in found) for side, found in paces.items()}
    return replace(
        result,
        note=f"{_FOLLOWERS} followers a post; processor time of an event {processor['ours']:.0f} µs against "
        f"{processor['bare']:.0f} µs",
    )


class _World:
    """Authors with ten followers each, and what is asked to be delivered to them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids = SnowflakeSource(1_022)
        self._accounts = [self._ids.next() for _ in range(_ACCOUNTS)]
        self._authors = [self._ids.next() for _ in range(_AUTHORS)]

    async def seed(self) -> None:
        """Write followers and fill every timeline, straight into the stores."""
        drawn = random.Random(7)
        async with connect(self._settings) as resources:
            for author_id in self._authors:
                follower_ids = sorted(drawn.sample(self._accounts, _FOLLOWERS))
                head = FollowerHeadRow(followee_id=author_id, source=0, overflowed=False, follower_ids=follower_ids)
                rows = [put(FOLLOWERS, _follower(author_id, follower)) for follower in follower_ids]
                await resources.rows.apply([[Positioned(row, 0) for row in (*rows, put(FOLLOWER_HEADS, head))]])
            for first in range(0, _ACCOUNTS, _AT_ONCE):
                part = self._accounts[first : first + _AT_ONCE]
                await asyncio.gather(*(self._fill(resources, account_id) for account_id in part))

    async def append(self, core: int, begins: Mapping[int, int]) -> Backlog:
        """Put a round's requests into the topic, as the posts job would."""
        async with connect(self._settings) as resources:
            records = [self._record(resources, author_id) for author_id in self._round()]
            positions = await resources.log.append_all(records)
        ends = ends_of(positions)
        return Backlog("", core, {number: begins.get(number, 0) for number in ends}, ends)

    def _round(self) -> Sequence[int]:
        return [self._authors[number % _AUTHORS] for number in range(_REQUESTS)]

    def _record(self, resources: JobResources, author_id: int) -> EncodedRecord:
        at_ms = now_ms()
        event = FanoutRequested(
            post_id=self._ids.next(),
            author_id=author_id,
            published_ms=at_ms,
            shard=0,
            first_slot=0,
            last_slot=SLOTS - 1,
        )
        return record_of(resources.serde, event, at_ms)

    async def _fill(self, resources: JobResources, account_id: int) -> None:
        opened = await resources.timelines.open(account_id)
        count = self._settings.limits.timeline_entries
        entries = [TimelineEntry(now_ms() - number, self._ids.next(), self._ids.next()) for number in range(count)]
        await resources.timelines.merge(account_id, entries, low_mark_ms=1, opened=opened)


def _follower(author_id: int, follower_id: int) -> FollowerRow:
    shard, slot = follower_place(follower_id)
    return FollowerRow(followee_id=author_id, shard=shard, slot=slot, follower_id=follower_id, since_ms=0)
