"""The replay engine: librdkafka reads a topic from the stored positions to its end and hands it to the same steps.

It belongs to no group and commits nothing; the store's positions are all there is. Run again, it goes on where it was.
A topic that has grown is read epoch by epoch: all partitions to where the next begins, then on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from photolog.log.growth import History
from photolog.log.record import by_partition
from photolog.log.slices import Slice, SliceReader
from photolog.settings import KafkaSettings
from streams.errors import AheadOfGrowth, LogTruncated
from streams.step import Step

_OTHERS_SECONDS = 20.0
_LOOK_SECONDS = 0.2


Heard = Callable[[int], Awaitable[None]]


async def _unheard(records: int) -> None:
    pass


async def replay(kafka: KafkaSettings, topic: str, steps: Sequence[Step]) -> int:
    """Bring the steps to where the topic ends now.

    Args:
        kafka: the log.
        topic: the topic's name.
        steps: they read the topic; each begins at its own position.

    Returns:
        How many records were read.

    Raises:
        LogTruncated: the log does not hold what comes after a stored position.
        LogUnavailable: the broker did not answer.
    """
    async with SliceReader(kafka) as reader:
        count = 0
        for growth in await steps[0].epochs.history(topic):
            count += await _replay_partitions(reader, topic, dict(enumerate(growth.cuts)), steps)
        whole = {one.partition: None for one in await reader.whole(topic)}
        return count + await _replay_partitions(reader, topic, whole, steps)


async def replay_stretch(
    kafka: KafkaSettings, topic: str, partition: int, step: Step, end: int, heard: Heard = _unheard
) -> int:
    """Bring one step to an offset in one partition.

    Args:
        kafka: the log.
        topic: the topic's name.
        partition: the partition.
        step: it begins at its own position.
        end: the first offset that is left out.
        heard: told how many records each batch held; it may hold up.

    Returns:
        How many records were read.

    Raises:
        LogTruncated, LogUnavailable: as `replay`.
    """
    async with SliceReader(kafka) as reader:
        return await _replay_partitions(reader, topic, {partition: end}, (step,), heard)


async def catch_up(kafka: KafkaSettings, topic: str, partitions: Collection[int], steps: Sequence[Step]) -> None:
    """Fold what lies before each growth of a topic in some partitions, and wait for whoever folds it in the others.

    Args:
        kafka: the log.
        topic: the topic's name.
        partitions: those that this process reads.
        steps: they read the topic.

    Raises:
        AheadOfGrowth: the others did not come to the growth in time.
        LogTruncated, LogUnavailable: as `replay`.
    """
    history = await steps[0].epochs.history(topic)
    for epoch, growth in enumerate(history, 1):
        if await _have_passed(topic, history, epoch, steps):
            continue
        async with SliceReader(kafka) as reader:
            cuts = {partition: cut for partition, cut in enumerate(growth.cuts) if partition in partitions}
            await _replay_partitions(reader, topic, cuts, steps)
        deadline = time.monotonic() + _OTHERS_SECONDS
        while not await _have_passed(topic, history, epoch, steps):
            if time.monotonic() > deadline:
                raise AheadOfGrowth(f"{topic}: what came before epoch {epoch} is not applied in others' partitions")
            await asyncio.sleep(_LOOK_SECONDS)


async def _have_passed(topic: str, history: History, epoch: int, steps: Sequence[Step]) -> bool:
    return all([await step.epochs.has_passed(topic, history, epoch) for step in steps])


async def _replay_partitions(
    reader: SliceReader,
    topic: str,
    cuts: Mapping[int, int | None],
    steps: Sequence[Step],
    heard: Heard = _unheard,
) -> int:
    """Bring the steps to an offset in each of some partitions, which are read side by side; None is where it ends."""
    slices = [await _slice(reader, topic, partition, cut, steps) for partition, cut in cuts.items()]
    count = 0
    async for batch in reader.read(slices):
        for partition, records in by_partition(batch.records).items():
            for step in steps:
                await step.run(topic, partition, records)
            await heard(len(records))
            count += len(records)
    return count


async def _slice(reader: SliceReader, topic: str, partition: int, cut: int | None, steps: Sequence[Step]) -> Slice:
    low, end = await reader.bounds(topic, partition)
    begin = await _begin(topic, partition, steps, low, end)
    return Slice(topic, partition, begin, end if cut is None else min(cut, end))


async def _begin(topic: str, partition: int, steps: Sequence[Step], low: int, end: int) -> int:
    positions = [await step.resume(topic, partition) for step in steps]
    begin = min(low if position is None else position for position in positions)
    if not low <= begin <= end:
        raise LogTruncated(f"{topic}/{partition}: the stored position is {begin}, the log holds {low} to {end}")
    return begin
