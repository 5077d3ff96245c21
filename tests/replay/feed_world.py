"""The whole river in memory, from commands to pages of the feed, with everything at once and nothing reliable.

Every call to a store or the log gives way to others a few times before and after it takes effect, so that jobs and
readers interleave in any way; and a worker may die at any call that changes something. All of it follows from seeds.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from gateway.queries.feed import feed_page
from gateway.readings import Readings
from gateway.services import Services
from photolog.errors import StoreUnavailable
from photolog.log.record import EncodedRecord
from photolog.positions import Position
from photolog.settings import LimitSettings
from projections.cards import cache_writes
from projections.feed import TOP, Place, place_of
from projections.posts import PUBLISHED_POSTS
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.memory_recent import MemoryRecent
from projections.stores.memory_rows import MemoryRows
from projections.stores.memory_seen import MemorySeen
from projections.stores.recent_reading import recent_stretches
from schemas import events as e
from streams.errors import PositionLost
from streams.jobs import JobResources, Steps, live_steps
from streams.publication import ReachRule
from tests.replay import actions
from tests.replay.naive import NaiveWorld
from tests.unit.gateway.river import River
from tests.unit.streams.river import PARTITIONS, SERDE, MemoryLog, OpenKeys, encoded

TIMELINE_ENTRIES = 4
RECENT_ENTRIES = 3
CELEBRITY_FOLLOWERS = 2
PAGES_MAX = 200
_LONG_PAUSES = 0.1
_BATCHES_IN_A_ROW = 3

_CALLS = {"load", "get", "get_many", "scan", "scan_kept", "position", "read", "read_all", "page"}
_CHANGES = {"apply", "advance", "merge", "deliver", "open", "append_all", "record", "fill"}


class Killed(Exception):
    """Stands for SIGKILL."""


@dataclass(slots=True)
class Fate:
    """How many changes a worker's batch may still make before it is killed."""

    changes_left: int


_FATE: ContextVar[Fate | None] = ContextVar("fate", default=None)


class Restless:
    """A store or the log whose calls give way to others, and in which doomed workers die.

    Args:
        inner: what answers.
        chaos: decides how often a call gives way.
        away: whether it does not answer now.
    """

    def __init__(self, inner: Any, chaos: random.Random, away: Callable[[], bool] = lambda: False) -> None:
        self._inner = inner
        self._chaos = chaos
        self._away = away

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._inner, name)
        if name not in _CALLS and name not in _CHANGES:
            return answer

        async def restless(*arguments: Any, **options: Any) -> Any:
            await self._give_way()
            if self._away():
                raise StoreUnavailable(f"{name}: away")
            fate = _FATE.get()
            if fate is not None and name in _CHANGES:
                if fate.changes_left == 0:
                    raise Killed
                fate.changes_left -= 1
            result = await answer(*arguments, **options)
            await self._give_way()
            return result

        return restless

    async def _give_way(self) -> None:
        """Mostly for moments, at times long enough for others to do a whole batch."""
        longest = 40 if self._chaos.random() < _LONG_PAUSES else 3
        for _ in range(self._chaos.randint(0, longest)):
            await asyncio.sleep(0)


class WatchedLog(MemoryLog):
    """A log that says whenever something was appended, by commands or by jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.watcher: Callable[[], None] = lambda: None

    def append(self, record: EncodedRecord) -> Position:
        position = super().append(record)
        self.watcher()
        return position


class FeedWorld:
    """People, their commands, the jobs and the feeds."""

    def __init__(self) -> None:
        self.chaos = random.Random(0)
        self.now_ms = actions.START_MS
        self.log, self.keys = WatchedLog(), OpenKeys()
        self.memory = (MemoryRows(), MemoryTimelines(TIMELINE_ENTRIES), MemoryCache(), MemoryRecent(RECENT_ENTRIES))
        self._rows, self._timelines, self._cache, self._recent, self._log = (
            Restless(inner, self.chaos) for inner in (*self.memory, self.log)
        )
        self.redis_away = False
        self.services = self._services()
        # A process of its own, which waits for no rows at all.
        self.hurried = self._services(feed_budget_ms=0)
        self.reach = ReachRule(CELEBRITY_FOLLOWERS, return_percent=50, chunk_followers=1)
        self.steps: Steps = {}
        self.read: dict[tuple[str, int], int] = {}
        self.restart()
        self._snapshot: list[dict[str, Any]] = []
        self.naive = NaiveWorld()
        self._seen: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._applied: set[UUID] = set()

    def restart(self) -> None:
        """New worker processes: nothing is remembered but what the stores hold."""
        self.read = {}
        self.steps = live_steps(
            JobResources(
                rows=self._rows,
                timelines=self._timelines,
                recent=self._recent,
                seen=MemorySeen(),
                cache=self._cache,
                cache_form=cache_writes,
                log=self._log,
                serde=SERDE,
                keys=self.keys,
                reach=self.reach,
                timeline_entries=TIMELINE_ENTRIES,
                clock_ms=lambda: self.now_ms,
            )
        )

    async def back_up(self) -> None:
        """Redis writes a snapshot of all that it holds, positions included. The jobs looked after it a moment ago."""
        self.restart()
        for topic, steps in self.steps.items():
            for step in steps:
                for partition in range(PARTITIONS):
                    await step.verify(topic, partition)
        self._snapshot = [_held(store) for store in self.memory[1:]]

    def restore(self) -> None:
        """Redis comes back with what the snapshot holds, and has forgotten everything since."""
        for store, held in zip(self.memory[1:], self._snapshot, strict=bool(self._snapshot)):
            vars(store).update(deepcopy(held))

    def append(self, event: e.Event) -> None:
        """A command's event is acknowledged."""
        self.log.append(encoded(event, at_ms=self.now_ms))

    def expected(self, viewer_id: int) -> list[int]:
        """The whole feed of a viewer, from nothing but what stands in the log."""
        self._catch_up()
        return self.naive.feed(viewer_id)

    def unanswered(self) -> list[tuple[int, int]]:
        """Requests that wait for accounts which are public."""
        self._catch_up()
        return [edge for edge in self.naive.requests if not self.naive.private.get(edge[1], True)]

    def waiting(self) -> list[int]:
        """Posts that are not published yet."""
        self._catch_up()
        return [post_id for post_id, post in self.naive.posts.items() if post.status == "processing"]

    async def work(
        self, size: int, deaths: Sequence[int | None], readers: Sequence[int], hurried: bool = False
    ) -> bool:
        """Give every partition a few batches, all at once, while people read; whether there was anything to do.

        Args:
            size: records of a batch at most.
            deaths: for each partition in turn, after how many changes its worker dies, None to live.
            readers: who reads the first page meanwhile.
            hurried: whether they wait for no rows.
        """
        places = [place for place in sorted(self.log.partitions) if place[0] in self.steps]
        self.chaos.shuffle(places)
        fates = [deaths[number % len(deaths)] if deaths else None for number in range(len(places))]
        turns = [self._turn(place, size, fate) for place, fate in zip(places, fates, strict=True)]
        outcomes = await asyncio.gather(*turns, *(self.page(viewer, None, 3, hurried) for viewer in readers))
        # What a killed worker had begun goes on to its end, as a call does that is already on the wire.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        if "died" in outcomes:
            self.restart()
        return any(outcome in ("worked", "died") for outcome in outcomes)

    async def settle(self, size: int | None = None) -> None:
        """Let the jobs do all there is to do, in batches of any size or of this one."""
        self.restart()
        while await self.work(size or self.chaos.randint(1, 6), (), ()):
            pass

    async def page(
        self, viewer_id: int, before: Place | None, limit: int, hurried: bool = False
    ) -> tuple[list[int], Place | None]:
        """The ids on a page of a feed, as far as it is complete, and where that ends."""
        page = await feed_page(self.hurried if hurried else self.services, viewer_id, before or TOP, limit)
        return [int(msgspec.json.decode(card)["id"]) for card in page.cards[: page.complete]], page.mark

    async def feed(self, viewer_id: int, limit: int) -> list[int]:
        """All pages of a feed."""
        found: list[int] = []
        before = None
        for _ in range(PAGES_MAX):
            ids, before = await self.page(viewer_id, before, limit)
            found += ids
            if before is None:
                return found
        raise AssertionError("the feed does not end")

    async def recent_of(self, author_id: int, limit: int) -> tuple[list[Place], list[Place]]:
        """All of an author's published posts, as the cache of recent ones and as the rows tell them."""
        found: list[Place] = []
        before, ended = None, False
        while not ended:
            (stretch,) = await recent_stretches(self._rows, self._recent, [author_id], before, limit)
            found += map(place_of, stretch.entries)
            before, ended = stretch.complete_from, stretch.ended
        rows = await self._rows.scan(PUBLISHED_POSTS, (author_id,), limit=len(self.naive.posts) + 1)
        return found, [(row.published_ms, row.post_id) for row in rows]

    async def _turn(self, place: tuple[str, int], size: int, changes_left: int | None) -> str:
        _FATE.set(None if changes_left is None else Fate(changes_left))
        try:
            worked = [await self._batch(place, size) for _ in range(_BATCHES_IN_A_ROW)]
        except (Killed, PositionLost):
            return "died"
        return "worked" if any(worked) else "idle"

    async def _batch(self, place: tuple[str, int], size: int) -> bool:
        topic, partition = place
        if place not in self.read:
            positions = [await step.resume(topic, partition) for step in self.steps[topic]]
            self.read[place] = min(position or 0 for position in positions)
        batch = self.log.partitions[place][self.read[place] :][:size]
        for step in self.steps[topic] if batch else ():
            await step.run(topic, partition, batch)
        self.read[place] += len(batch)
        return bool(batch)

    def _services(self, **settings: Any) -> Services:
        gateway = River(**settings)
        gateway.settings.limits = LimitSettings.model_construct(timeline_entries=TIMELINE_ENTRIES)
        timelines, cache, recent = (Restless(inner, self.chaos, lambda: self.redis_away) for inner in self.memory[1:])
        # Nothing that was read is kept, because no time passes here.
        readings = Readings(kept_seconds=0)
        return replace(
            gateway.services,
            rows=self._rows,
            timelines=timelines,
            cache=cache,
            recent=recent,
            readings=readings,
        )

    def _catch_up(self) -> None:
        """Let the naive world know what was appended since."""
        for place, records in self.log.partitions.items():
            for record in records[self._seen[place] :]:
                event_id = UUID((record.header("ce_id") or b"").decode())
                if event_id not in self._applied:
                    self._applied.add(event_id)
                    event = SERDE.open_record(SERDE.parse(record.value), lambda _: None)
                    self.naive.apply(event, record.timestamp_ms)
            self._seen[place] = len(records)


def _held(store: object) -> dict[str, Any]:
    """What an engine would hold; what numbers the lives of timelines is drawn at random there."""
    return {name: deepcopy(value) for name, value in vars(store).items() if name != "_lives"}
