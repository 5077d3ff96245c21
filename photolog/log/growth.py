"""What it means that a topic's partitions have grown: epochs, and where in each partition the next one begins.

More partitions move keys: what came to one partition goes on in another, where offsets begin again. So a growth cuts
the log of a topic in two. Everything below the cuts is of the epoch before, everything behind them and in the new
partitions of the next; and a record's *place*, epoch and offset together, orders a key's events wherever they lie.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from photolog.log.partitioner import partition_of
from photolog.log.record import StoredRecord

OFFSET_BITS = 40
EPOCHS_MAX = 1 << 11


@dataclass(frozen=True, slots=True)
class Growth:
    """One growth of a topic.

    Args:
        before: its partitions before.
        after: its partitions since.
        cuts: for each partition that there was, the first offset that belongs to the new epoch.
    """

    before: int
    after: int
    cuts: tuple[int, ...]


History = Sequence[Growth]
"""The growths of a topic, oldest first. The first epoch is 0, and growth number n begins epoch n + 1."""


class Growths(Protocol):
    """The growths of topics: photolog.log.growths, or a dictionary in tests."""

    async def of(self, topic: str) -> History:
        """Every growth of a topic whose cuts are known. Raises StoreUnavailable."""


class NeverGrown:
    """Growths of topics that have the partitions that they were made with."""

    async def of(self, topic: str) -> History:
        """None."""
        return ()


def epoch_of(history: History, partition: int, offset: int) -> int:
    """The epoch of a record."""
    return sum(partition >= growth.before or offset >= growth.cuts[partition] for growth in history)


def place_of(epoch: int, offset: int) -> int:
    """Epoch and offset as one number, exact in a double: of one key's events the later has the greater place."""
    return (epoch << OFFSET_BITS) | offset


def place_in(history: History, at: tuple[int, int]) -> int:
    """The place of what lies at a partition and an offset."""
    return place_of(epoch_of(history, *at), at[1])


def is_passed(growth: Growth, next_offsets: Mapping[int, int]) -> bool:
    """Whether who has applied everything below `next_offsets` has applied all that came before the growth."""
    return all(next_offsets.get(partition, 0) >= cut for partition, cut in enumerate(growth.cuts))


def last_owner(history: History, epoch: int, key: bytes, next_offsets: Mapping[int, int]) -> int:
    """The partition whose reader knows most of a key when an epoch begins: the last that the key belonged to and that
    has read anything since it did, given the `next_offsets` of readers; else the key's first. For a topic that grew.
    """
    for before in range(epoch - 1, 0, -1):
        partition = partition_of(key, history[before - 1].after)
        read = next_offsets.get(partition, 0)
        if read and epoch_of(history, partition, read - 1) >= before:
            return partition
    return partition_of(key, history[0].before)


def is_misplaced(history: History, record: StoredRecord) -> bool:
    """Whether a record of a grown topic lies where its key does not belong: somebody appended by an old count."""
    epoch = epoch_of(history, record.partition, record.offset)
    if epoch == 0 or record.key is None:
        return False
    return partition_of(record.key, history[epoch - 1].after) != record.partition


def by_epoch(
    history: History, records: Sequence[StoredRecord], below: int = 0
) -> Iterator[tuple[int, list[StoredRecord]]]:
    """Consecutive records of one partition, cut where an epoch begins, and at the offset `below`."""

    if not history and records and records[0].offset >= below:
        yield 0, list(records)
        return

    def stretch_of(record: StoredRecord) -> tuple[int, bool]:
        return epoch_of(history, record.partition, record.offset), record.offset < below

    for (epoch, _), stretch in groupby(records, key=stretch_of):
        yield epoch, list(stretch)
