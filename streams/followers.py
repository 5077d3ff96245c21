"""Live jobs keep other generations up to date: the one before, for a rollback, and one that waits to go live.

What goes wrong there must not hold up what is live: a generation that fails is left alone for a while and stays behind,
so that it cannot be swapped in, and its lag is there for everybody to see.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

import structlog
from prometheus_client import Gauge

from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings
from photolog.stall import Stall
from projections.catalogue import PROJECTIONS
from projections.fold import Projection
from projections.generations import Pointers, Selection
from projections.stores.pinning import PinnedPointers
from streams.generation_steps import following_step
from streams.jobs import JobResources
from streams.replay import replay_stretch
from streams.step import Step

RETRY_SECONDS = 20.0
SETTLE_SECONDS = 2.0
FAILED = Gauge("photolog_generation_failed", "1 while a generation cannot be kept up to date", ["generation"])
logger = structlog.get_logger(__name__)

ResourcesAt = Callable[[Selection], JobResources]
"""What a generation's jobs work with: the same engines, and the rows and caches of the selection."""
Place = tuple[str, int]
"""A topic and a partition."""


class Followers:
    """The generations beside the live ones, as one worker keeps them.

    Args:
        kafka: the log, for what a generation lacks of it.
        pinned: tells which generations there are.
        resources_at: what each works with.
    """

    def __init__(self, kafka: KafkaSettings, pinned: PinnedPointers, resources_at: ResourcesAt) -> None:
        self._kafka = kafka
        self._pinned = pinned
        self._resources_at = resources_at
        self._stall = Stall("generations")
        self._steps: dict[tuple[str, int], Step] = {}
        self._failed_until: dict[str, float] = {}

    async def pin(self) -> Pointers:
        """Hold on to the generations as they are now, for one batch; waits for a store that is away."""
        await self._stall.until_done(self._pin)
        return self._pinned.pointers

    async def follow(self, topic: str, partition: int, records: Sequence[StoredRecord]) -> None:
        """Bring records that the live jobs have applied into the other generations of the same projections."""
        for _, step in self._of(topic):
            await self._try(step, topic, partition, records)

    async def settle(self, places: Callable[[], Iterable[Place]], live: Callable[[str, str, int], int]) -> None:
        """Every now and then bring generations to where the live ones are, also where nothing happens any more.

        Args:
            places: this worker's partitions.
            live: how far the live generation of a projection is in a partition, as this worker applied it.
        """
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            await self.pin()
            for topic, partition in places():
                for projection, step in self._of(topic):
                    await self._catch_up(step, topic, partition, live(projection, topic, partition))

    def _of(self, topic: str) -> list[tuple[str, Step]]:
        """The steps that take a topic, each with its projection's name."""
        return [
            (projection.name, self._step(projection, number))
            for projection in PROJECTIONS
            if any(folded.name == topic for folded in projection.topics)
            for number in self._pinned.pointers.of(projection.name).followed
        ]

    def _step(self, projection: Projection, number: int) -> Step:
        key = (projection.name, number)
        if key not in self._steps:
            resources = self._resources_at(Selection({projection.name: number}))
            self._steps[key] = following_step(resources, projection, number)
        return self._steps[key]

    async def _pin(self) -> None:
        await self._pinned.pin_fresh()

    async def _catch_up(self, step: Step, topic: str, partition: int, end: int) -> None:
        if not self._rests(step):
            try:
                if (await step.position(topic, partition)) < end:
                    await replay_stretch(self._kafka, topic, partition, step, end)
            # As in `_try`.
            except Exception as error:  # noqa: BLE001
                self._give_up(step, error)

    async def _try(self, step: Step, topic: str, partition: int, records: Sequence[StoredRecord]) -> None:
        if self._rests(step):
            return
        try:
            if (await step.position(topic, partition)) < records[0].offset:
                await replay_stretch(self._kafka, topic, partition, step, records[0].offset)
            await step.run(topic, partition, records)
        # Whatever it is, the live generation goes on.
        except Exception as error:  # noqa: BLE001
            self._give_up(step, error)
        else:
            if self._failed_until.pop(step.name, None) is not None:
                FAILED.labels(step.name).set(0)

    def _rests(self, step: Step) -> bool:
        return time.monotonic() < self._failed_until.get(step.name, 0.0)

    def _give_up(self, step: Step, error: Exception) -> None:
        # The next one begins where the store is, whatever this one believed to have applied.
        self._steps = {key: kept for key, kept in self._steps.items() if kept is not step}
        self._failed_until[step.name] = time.monotonic() + RETRY_SECONDS
        FAILED.labels(step.name).set(1)
        logger.error("generation-not-followed", generation=step.name, error=repr(error))
