"""Growing the partitions of a topic, a step at a time; docs/adr/0018 says why in this order.

1. `fence`: the brokers refuse every append to the topic; commands answer 503, jobs wait.
2. `cut`: the ends of the partitions are final now, and are written down. Jobs read them with every batch.
3. `add`: the partitions are added.
4. `settle`: every producer has learned of them, and whatever it had partitioned before was refused.
5. `lift`: appends are let in again.

Whoever died in between runs it again: it goes on with the step that it finds.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from photolog.errors import Conflict
from photolog.log.growth import EPOCHS_MAX
from photolog.log.growths import GrowthRow

Sleep = Callable[[float], Awaitable[None]]
Lag = Callable[[], Awaitable[int]]
Report = Callable[[str, str], None]
"""Takes the name of a step that is done, and what came of it."""


class Broker(Protocol):
    """One topic's side of Kafka: photolog.log.topic_admin, or a dictionary in tests."""

    async def partitions(self) -> int: ...
    async def ends(self) -> tuple[int, ...]: ...
    async def own_limit(self) -> str | None: ...
    async def fence(self) -> None: ...
    async def lift(self) -> None: ...
    async def add(self, partitions: int) -> None: ...


class Ledger(Protocol):
    """The durable record of growths: photolog.log.growths."""

    async def rows(self, topic: str, *, serial: bool = False) -> list[GrowthRow]: ...
    async def begin(self, topic: str, row: GrowthRow) -> bool: ...
    async def cut(self, topic: str, epoch: int, cuts: Sequence[int]) -> bool: ...
    async def done(self, topic: str, epoch: int) -> bool: ...
    async def abandon(self, topic: str, epoch: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait.

    Args:
        drain_seconds: for the jobs to come near the topic's end, before anything is done.
        lag_records_max: what near means.
        still_seconds: for the fence to stand at every broker, and between two looks at the ends.
        settle_seconds: for every producer to know the new partitions and to have given up what it had partitioned
            before: more than its metadata's age and its append timeout together.
    """

    drain_seconds: float = 60.0
    lag_records_max: int = 1_000
    still_seconds: float = 1.0
    settle_seconds: float = 10.0


class Growing:
    """The growth of one topic.

    Args:
        topic: its name.
        partitions: how many it shall have.
        broker: its side of Kafka.
        ledger: the record of growths.
        lag: how many records the slowest job is behind in the topic.
        report: is told of each step.
        patience: how long to wait.
        sleep: waits so many seconds.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        topic: str,
        partitions: int,
        broker: Broker,
        ledger: Ledger,
        lag: Lag,
        report: Report,
        patience: Patience,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = topic
        self._partitions = partitions
        self._broker = broker
        self._ledger = ledger
        self._lag = lag
        self._report = report
        self._patience = patience
        self._sleep = sleep
        self._clock = clock

    async def plan(self) -> GrowthRow:
        """The growth to do, or the one that is under way; nothing is changed.

        Raises:
            Conflict: it is none, another is under way, or somebody added partitions by other means.
        """
        rows = await self._ledger.rows(self._topic, serial=True)
        count = await self._broker.partitions()
        last = rows[-1] if rows else None
        if last is not None and last.state != "done":
            if last.after != self._partitions:
                raise Conflict("growth-under-way", f"{self._topic} is growing to {last.after}: finish that first")
            return last
        if (limit := await self._broker.own_limit()) is not None:
            raise Conflict(
                "limit-of-its-own", f"{self._topic} has its own max.message.bytes ({limit}): take it away first"
            )
        if last is not None and last.after != count:
            raise Conflict(
                "grown-by-others",
                f"{self._topic} has {count} partitions and grew to {last.after}: somebody changed it by other means, "
                "and the order of keys that moved then cannot be told",
            )
        if self._partitions <= count:
            raise Conflict("not-a-growth", f"{self._topic} has {count} partitions; a topic only grows")
        epoch = 1 if last is None else last.epoch + 1
        if epoch >= EPOCHS_MAX:
            raise Conflict("grown-too-often", f"{self._topic} has grown {last.epoch if last else 0} times")
        return GrowthRow(epoch, count, self._partitions, "planned")

    async def run(self) -> GrowthRow:
        """Grow, or go on with a growth that was left in the middle.

        Returns:
            The growth, done.

        Raises:
            Conflict: as `plan`, or the jobs are too far behind.
            LogUnavailable, StoreUnavailable: run it again.
        """
        row = await self.plan()
        if row.state == "planned":
            await self._near_the_end()
            if not await self._ledger.begin(self._topic, row):
                raise self._not_alone()
        if row.state != "cut":
            row = await self._cut(row)
        return await self._finish(row)

    def _not_alone(self) -> Conflict:
        return Conflict("growth-under-way", f"somebody else grows {self._topic}, too: look, and run it again")

    async def _near_the_end(self) -> None:
        """A job that is far behind would hold everything up that comes after the growth."""
        deadline = self._clock() + self._patience.drain_seconds
        while (lag := await self._lag()) > self._patience.lag_records_max:
            if self._clock() > deadline:
                raise Conflict("jobs-are-behind", f"a job is {lag} records behind in {self._topic}: let it catch up")
            await self._sleep(self._patience.still_seconds)
        self._report("drain", f"the slowest job is {lag} records behind")

    async def _cut(self, row: GrowthRow) -> GrowthRow:
        done = False
        try:
            await self._broker.fence()
            self._report("fence", "appends are refused")
            cuts = await self._still_ends(row.before)
            if not await self._ledger.cut(self._topic, row.epoch, cuts):
                raise self._not_alone()
            done = True
        finally:
            # Until it is cut a growth may be forgotten; whoever else has cut it needs the fence.
            if not done and await self._ledger.abandon(self._topic, row.epoch):
                await self._broker.lift()
        self._report("cut", f"the new epoch begins at {list(cuts)}")
        return GrowthRow(row.epoch, row.before, row.after, "cut", cuts)

    async def _still_ends(self, partitions: int) -> tuple[int, ...]:
        """The ends, once they do not move any more."""
        before: tuple[int, ...] = ()
        while True:
            await self._sleep(self._patience.still_seconds)
            ends = await self._broker.ends()
            if len(ends) != partitions:
                raise Conflict("grown-by-others", f"{self._topic} has {len(ends)} partitions, not {partitions}")
            if ends == before:
                return ends
            before = ends

    async def _finish(self, row: GrowthRow) -> GrowthRow:
        await self._broker.fence()
        if await self._broker.partitions() < row.after:
            await self._broker.add(row.after)
        self._report("add", f"{row.after} partitions")
        await self._sleep(self._patience.settle_seconds)
        self._report("settle", "every producer knows them")
        await self._broker.lift()
        await self._ledger.done(self._topic, row.epoch)
        self._report("lift", "appends are let in again")
        return GrowthRow(row.epoch, row.before, row.after, "done", row.cuts)
