"""Folding the log into a generation beside the live one, until it has caught up and live jobs take over.

The positions of the new generation stand with its rows, so a rebuild that was stopped, or killed, goes on where it was.
It holds a batch of each partition that it reads at once, and a bounded number of rows, however long the log is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from photolog.errors import Conflict
from photolog.log.ends import Ends
from photolog.log.slices import Place
from photolog.settings import KafkaSettings
from projections.fold import Projection
from projections.generations import Pointers
from projections.stores.generation_pointers import PointerStore, change_pointers
from projections.stores.port import RowStore, Source, StoredPosition
from streams.errors import AheadOfGrowth
from streams.replay import replay_stretch
from streams.step import Step

SETTLED_RECORDS = 200
_PARTITIONS_AT_ONCE = 8
_PASSES_MAX = 100
_LOOK_SECONDS = 0.25
TAKE_OVER_SECONDS = 60.0

Positions = Mapping[Source, StoredPosition]
Heard = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Share:
    """Which partitions one of several processes folds.

    Args:
        index: its number, from 0.
        of: how many there are.
    """

    index: int = 0
    of: int = 1

    def has(self, place: Place) -> bool:
        """Whether a partition is in this share."""
        return place[1] % self.of == self.index


WHOLE = Share()


class Rebuild:
    """Folds a projection into one generation.

    Args:
        kafka: the log.
        projection: what to fold.
        step: folds into the generation.
        share: which partitions are this process's.
        heard: told how many records were folded; it may hold up.
    """

    def __init__(self, kafka: KafkaSettings, projection: Projection, step: Step, share: Share, heard: Heard) -> None:
        self._kafka = kafka
        self._projection = projection
        self._step = step
        self._share = share
        self._heard = heard

    async def to(self, ends: Ends) -> None:
        """Fold everything below these offsets, epoch by epoch where a topic has grown.

        Raises:
            LogTruncated, LogUnavailable: as `streams.replay.replay`.
        """
        for topic in self._projection.topics:
            own = {place: end for place, end in ends.items() if place[0] == topic.name and self._share.has(place)}
            for growth in await self._step.epochs.history(topic.name):
                cuts = {
                    place: min(end, growth.cuts[place[1]]) for place, end in own.items() if place[1] < growth.before
                }
                await self._partitions(cuts)
            await self._partitions(own)

    async def _partitions(self, ends: Ends) -> None:
        room = asyncio.Semaphore(_PARTITIONS_AT_ONCE)

        async def fold(place: Place, end: int) -> None:
            async with room:
                await self._stretch(place, end)

        async with asyncio.TaskGroup() as folding:
            for place, end in ends.items():
                folding.create_task(fold(place, end))

    async def _stretch(self, place: Place, end: int) -> None:
        while True:
            try:
                await replay_stretch(self._kafka, *place, self._step, end, self._heard)
                return
            except AheadOfGrowth:
                # Another process folds what comes before the topic's growth.
                await asyncio.sleep(_LOOK_SECONDS)


def left(ends: Ends, stored: Positions) -> int:
    """How many records lie between positions and ends."""
    at = {(source.topic, source.partition): position.next_offset for source, position in stored.items()}
    return sum(max(0, end - at.get(place, 0)) for place, end in ends.items())


async def catch_up(
    rebuild: Rebuild,
    ends: Callable[[], Awaitable[Ends]],
    stored: Callable[[], Awaitable[Mapping[Source, StoredPosition]]],
) -> None:
    """Fold to the log's end, and again to where it ends then, until next to nothing is left.

    Raises:
        Conflict: the log grows faster than it is folded.
    """
    for _ in range(_PASSES_MAX):
        target = await ends()
        await rebuild.to(target)
        if left(await ends(), await stored()) <= SETTLED_RECORDS:
            return
    raise Conflict("never-caught-up", "the log grows faster than it is folded; give the rebuild more workers")


async def begin(pointers: PointerStore, projection: str, until_ms: int | None) -> Pointers:
    """Begin a rebuild, or go on with the one that was begun. Raises Conflict."""

    def begun(now: Pointers) -> Pointers:
        before = now.of(projection)
        after = before.begun(until_ms)
        return now if after == before else now.changed(projection, after)

    return await change_pointers(pointers, begun)


async def hand_over(pointers: PointerStore, projection: str, number: int, now_ms: int) -> Pointers:
    """Have live jobs keep a generation up to date that has caught up. Raises Conflict where it was given up."""

    def fed(now: Pointers) -> Pointers:
        before = now.of(projection)
        if before.building != number:
            raise Conflict("given-up", f"generation {number} of {projection} was given up meanwhile")
        return now if before.is_fed else now.changed(projection, before.caught_up(now_ms))

    return await change_pointers(pointers, fed)


async def taken_over(live: RowStore, other: RowStore, projection: str, seconds: float = TAKE_OVER_SECONDS) -> bool:
    """Wait until live jobs are past what the rebuild folded; False where they do not come to it in time.

    Until then what follows from an event might follow never: a generation that is ahead of the live one must not go
    live, as its jobs would take the events in between for done.
    """
    deadline = time.monotonic() + seconds
    while not is_behind(await live.positions(projection), await other.positions(projection)):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def is_behind(live: Positions, other: Positions) -> bool:
    """Whether a generation is nowhere ahead of the live one."""
    nowhere = StoredPosition(0)
    return all(at.next_offset <= live.get(source, nowhere).next_offset for source, at in other.items())
