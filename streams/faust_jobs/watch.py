"""Looks after a running Faust worker: its lag for everyone to see, and its end where a store lost a position."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from photolog.stall import TRANSIENT
from photolog.worker_metrics import LagView
from streams.errors import EngineFailed
from streams.step import Step

INTERVAL_SECONDS = 2.0
IDLE_SECONDS_MAX = 60.0
# The group's members wait for each other's running batches; a worker that waits longer is better off as a new one.
REBALANCE_SECONDS_MAX = 120.0


Label = tuple[str, str, int]


class Watch:
    """Compares, every two seconds, what the stores hold with what the worker applied.

    Args:
        app: the Faust application.
        steps: the steps of each topic.
        waits: whether the worker waits for an engine before it can begin to read.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        app: Any,
        steps: Mapping[str, Sequence[Step]],
        waits: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._steps = steps
        self._waits = waits
        self._clock = clock
        self._view = LagView()
        self._positions: dict[Label, int] = {}
        self._moved_at = clock()
        self._settled_at = clock()

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            PositionLost: a store was flushed, restored or rewound; a new process begins where it is now.
            EngineFailed: Faust gave up, brings no records although there are some, or never ends a rebalance.
        """
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once. Raises as `run`."""
        if self._app.crashed:
            raise EngineFailed(f"Faust gave up: {self._app.crash_reason!r}")
        if not self._app.started:
            return
        if self._app.rebalancing:
            self._check_rebalance()
            return
        self._settled_at = self._clock()
        try:
            await self._compare()
        except (*TRANSIENT, KafkaError):
            # The steps, or Faust, wait for the same engine and say so; lag is unknown until it is back.
            self._view.show({})

    async def _compare(self) -> None:
        partitions: set[TP] = self._app.consumer.assignment()
        ends: Mapping[TP, int] = await self._app.consumer.highwaters(*partitions) if partitions else {}
        positions: dict[Label, int] = {}
        lags: dict[Label, int] = {}
        busy = False
        for partition in partitions:
            for step in self._steps[partition.topic]:
                label = (step.name, partition.topic, partition.partition)
                positions[label] = await step.verify(partition.topic, partition.partition)
                lags[label] = max(0, (ends.get(partition) or 0) - positions[label])
                busy = busy or step.busy
        self._view.show(lags)
        self._check_moves(positions, waits=any(lags.values()) and not busy)

    def _check_rebalance(self) -> None:
        """Faust leaves a rebalance unfinished where the next one overtook it and then did not come to pass."""
        now = self._clock()
        if self._waits() or any(step.busy for steps in self._steps.values() for step in steps):
            self._settled_at = now
        elif now - self._settled_at > REBALANCE_SECONDS_MAX:
            raise EngineFailed(f"a rebalance did not end within {now - self._settled_at:.0f} s")

    def _check_moves(self, positions: dict[Label, int], *, waits: bool) -> None:
        """Faust can stop fetching without a word after a rebalance; a new process fetches.

        All partitions are taken together: on a busy machine one of them may well wait for its turn.
        """
        now = self._clock()
        if not waits or positions != self._positions:
            self._moved_at = now
        elif now - self._moved_at > IDLE_SECONDS_MAX:
            raise EngineFailed(f"there are records, and none came for {now - self._moved_at:.0f} s")
        self._positions = positions
