"""Epochs of grown topics: a record is folded once everything of the epochs before it is, wherever its key lay then."""

from photolog.log.growth import Growths, History, NeverGrown, epoch_of, is_passed, last_owner
from photolog.log.partitioner import partition_of
from projections.stores.parked import ParkedKeys
from projections.stores.port import PositionStore, Source, StoredPosition
from streams.errors import AheadOfGrowth


class Epochs:
    """What one projection knows of the epochs of its topics.

    Args:
        projection: its name.
        positions: the store of its positions.
        growths: the growths of topics. They are read behind each batch's records: a growth is written down before
            the first record of its epoch can be appended, so no such record is ever taken for an older one.
        ordered: whether the order of a key matters to the projection. Where it does not, nothing waits.
    """

    def __init__(
        self, projection: str, positions: PositionStore, growths: Growths | None = None, ordered: bool = True
    ) -> None:
        self.ordered = ordered
        self._projection = projection
        self._positions = positions
        self._growths = growths or NeverGrown()
        self._passed: dict[str, int] = {}

    async def parked(self, source: Source, stored: StoredPosition, history: History, epoch: int) -> ParkedKeys:
        """The keys that are parked in front of a partition's next record, which is of an epoch.

        With the first record of an epoch a partition takes over the keys that came to it; whoever had them goes on
        keeping what it knew of them then, because they may move on before anything of theirs lies here.

        Args:
            source: the partition.
            stored: its position.
            history: the topic's growths.
            epoch: the record's.
        """
        below = stored.counts.below
        if not self.ordered or epoch == 0 or (below and epoch_of(history, source.partition, below - 1) == epoch):
            return stored.parked
        every = await self._positions.positions(self._projection)
        at = {place.partition: found for place, found in every.items() if place.topic == source.topic}
        came = {}
        for key in {key for found in at.values() for key in found.parked}:
            held = at.get(last_owner(history, epoch, key, {place: found.counts.below for place, found in at.items()}))
            if partition_of(key, history[epoch - 1].after) == source.partition and held and key in held.parked:
                came[key] = held.parked[key]
        left = {
            key: parked
            for key, parked in stored.parked.items()
            if partition_of(key, history[epoch - 1].after) != source.partition
        }
        return left | came

    async def history(self, topic: str) -> History:
        """The topic's growths."""
        return await self._growths.of(topic)

    async def has_passed(self, topic: str, history: History, epoch: int) -> bool:
        """Whether everything before an epoch is applied, in all partitions that there were, by whichever worker."""
        if not self.ordered or epoch <= self._passed.get(topic, 0):
            return True
        stored = await self._positions.positions(self._projection)
        applied = {source.partition: at.next_offset for source, at in stored.items() if source.topic == topic}
        if is_passed(history[epoch - 1], applied):
            self._passed[topic] = epoch
            return True
        return False

    async def admit(self, topic: str, history: History, epoch: int) -> None:
        """Let records of an epoch pass.

        Raises:
            AheadOfGrowth: something before them is not applied yet.
        """
        if not await self.has_passed(topic, history, epoch):
            raise AheadOfGrowth(f"{self._projection}: {topic} grew, and what came before epoch {epoch} is not applied")
