"""Looks after a running Faust worker: its lag for everyone to see, and its end where a store lost a position."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from faust.types import TP

from photolog.stall import TRANSIENT
from photolog.worker_metrics import LagView
from streams.errors import EngineFailed
from streams.step import Step

INTERVAL_SECONDS = 2.0


class Watch:
    """Compares, every two seconds, what the stores hold with what the worker applied.

    Args:
        app: the Faust application.
        steps: the steps of each topic.
    """

    def __init__(self, app: Any, steps: Mapping[str, Sequence[Step]]) -> None:
        self._app = app
        self._steps = steps
        self._view = LagView()

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            PositionLost: a store was flushed, restored or rewound; a new process begins where it is now.
            EngineFailed: Faust gave up.
        """
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            if self._app.crashed:
                raise EngineFailed(f"Faust gave up: {self._app.crash_reason!r}")
            if self._app.started and not self._app.rebalancing:
                try:
                    await self._look()
                except TRANSIENT:
                    # The steps wait for the same engine and say so; lag is unknown until it is back.
                    self._view.show({})

    async def _look(self) -> None:
        partitions: set[TP] = self._app.consumer.assignment()
        ends: Mapping[TP, int] = await self._app.consumer.highwaters(*partitions) if partitions else {}
        lags: dict[tuple[str, str, int], int] = {}
        for partition in partitions:
            for step in self._steps[partition.topic]:
                position = await step.verify(partition.topic, partition.partition)
                label = (step.name, partition.topic, partition.partition)
                lags[label] = max(0, (ends.get(partition) or 0) - position)
        self._view.show(lags)
