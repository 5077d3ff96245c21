"""A Faust application whose partitions start where the stores' positions are, not where the group committed.

Faust seeks to the committed offsets after every assignment, later than its public signals and sometimes twice, so the
place to step in is that seek itself (`faust.transport.consumer.Consumer.perform_seek`); it is idempotent.
"""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.errors import LogTruncated

Offsets = Mapping[TP, int | None]


class Positions(Protocol):
    """What the stores hold for an engine's partitions."""

    async def begin(self, partitions: Collection[TP], earliest: Offsets, ends: Offsets) -> dict[TP, int]:
        """The offset to read from in each partition; the engine is about to seek there."""


def begin_offsets(stored: Offsets, earliest: Offsets, ends: Offsets) -> dict[TP, int]:
    """Where to begin in each partition.

    Args:
        stored: the stores' positions, None where there is none.
        earliest: the first offset that the log still holds.
        ends: the offset behind the log's last record.

    Raises:
        LogTruncated: the log does not hold what comes after a stored position.
    """
    offsets = {}
    for partition, position in stored.items():
        first, end = earliest.get(partition) or 0, ends.get(partition) or 0
        begin = first if position is None else position
        if not first <= begin <= end:
            raise LogTruncated(f"{partition}: the stored position is {begin}, the log holds {first} to {end}")
        offsets[partition] = begin
    return offsets


class StoreConsumer(driver.Consumer):
    """Seeks to the stores' positions."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every assigned partition; answers the offsets, from which Faust goes on counting."""
        partitions = self.assignment()
        if not partitions:
            return await super().seek_to_committed()
        application: Any = self.app
        earliest, ends = await self.earliest_offsets(*partitions), await self.highwaters(*partitions)
        wanted: dict[TP, int] = await application.positions.begin(partitions, earliest, ends)
        await self.seek_wait(wanted)
        for partition in partitions:
            # What Faust counted before the seek would keep it from committing behind it.
            for counted in (self._acked, self._acked_index, self._gap, self._committed_offset):
                counted.pop(partition, None)
        return wanted


class StoreTransport(driver.Transport):
    """Makes consumers of the kind above."""

    Consumer = StoreConsumer


class StoreApp(faust.App):
    """A Faust application with positions in stores.

    Args:
        id: the consumer group.
        positions: the stores' positions.
        options: Faust's own settings.
    """

    def __init__(self, id: str, *, positions: Positions, **options: Any) -> None:
        super().__init__(id, **options)
        self.positions = positions

    def _new_transport(self) -> StoreTransport:
        return StoreTransport(self.conf.broker_consumer, self)
