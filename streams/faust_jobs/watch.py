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


Label = tuple[str, str, int]


class Watch:
    """Compares, every two seconds, what the stores hold with what the worker applied.

    Args:
        app: the Faust application.
        steps: the steps of each topic.
        clock: seconds that only go forward.
    """

    def __init__(
        self, app: Any, steps: Mapping[str, Sequence[Step]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._steps = steps
        self._clock = clock
        self._view = LagView()
        self._moved: dict[Label, tuple[int, float]] = {}

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            PositionLost: a store was flushed, restored or rewound; a new process begins where it is now.
            EngineFailed: Faust gave up, or brings no records although there are some.
        """
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            if self._app.crashed:
                raise EngineFailed(f"Faust gave up: {self._app.crash_reason!r}")
            if self._app.started and not self._app.rebalancing:
                try:
                    await self.look()
                except (*TRANSIENT, KafkaError):
                    # The steps, or Faust, wait for the same engine and say so; lag is unknown until it is back.
                    self._view.show({})

    async def look(self) -> None:
        """Look once."""
        partitions: set[TP] = self._app.consumer.assignment()
        ends: Mapping[TP, int] = await self._app.consumer.highwaters(*partitions) if partitions else {}
        lags: dict[Label, int] = {}
        for partition in partitions:
            for step in self._steps[partition.topic]:
                position = await step.verify(partition.topic, partition.partition)
                label = (step.name, partition.topic, partition.partition)
                lags[label] = max(0, (ends.get(partition) or 0) - position)
                self._check_moves(label, position, waits=lags[label] > 0 and not step.busy)
        self._moved = {label: moved for label, moved in self._moved.items() if label in lags}
        self._view.show(lags)

    def _check_moves(self, label: Label, position: int, *, waits: bool) -> None:
        """Faust can stop fetching without a word after a rebalance; a new process fetches."""
        now = self._clock()
        before, since = self._moved.get(label, (position, now))
        if position != before or not waits:
            since = now
        elif now - since > IDLE_SECONDS_MAX:
            raise EngineFailed(f"{label} has records behind {position}, and none came for {now - since:.0f} s")
        self._moved[label] = (position, since)
