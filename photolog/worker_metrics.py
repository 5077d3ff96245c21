"""What every kind of worker shows. Names are stable: `status`, dashboards and the demo read them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from confluent_kafka import KafkaException
from prometheus_client import Counter, Gauge

_LAG_SECONDS = 2.0

LAG = Gauge("photolog_lag_records", "End of the log minus stored position", ["projection", "topic", "partition"])
DEAD = Counter("photolog_dead_letters_total", "Records sent to a dead-letter topic", ["projection", "reason"])
STALLED = Gauge("photolog_stalled", "1 while an engine does not answer and records wait", ["projection"])


class LagView:
    """The lags that this worker shows: those of its own partitions, as another worker shows the others."""

    def __init__(self) -> None:
        self._labels: set[tuple[str, str, str]] = set()

    def show(self, lags: dict[tuple[str, str, int], int]) -> None:
        """Show these records per (projection, topic, partition), and nothing else any more."""
        labels = {(projection, topic, str(partition)): lag for (projection, topic, partition), lag in lags.items()}
        for label in self._labels - set(labels):
            LAG.remove(*label)
        for label, lag in labels.items():
            LAG.labels(*label).set(lag)
        self._labels = set(labels)


async def keep_showing_lags(reader: str, lags: Callable[[], Awaitable[Mapping[tuple[str, int], int]]]) -> None:
    """Show how far behind a worker is that reads by itself, for ever.

    Args:
        reader: the worker's name, where others have their projection's.
        lags: for each partition of its own how many records are not finished. It may raise KafkaException.
    """
    view = LagView()
    while True:
        try:
            behind = await lags()
        except KafkaException:
            # Unknown until the broker is back; the client reports it.
            behind = {}
        view.show({(reader, topic, partition): lag for (topic, partition), lag in behind.items()})
        await asyncio.sleep(_LAG_SECONDS)
