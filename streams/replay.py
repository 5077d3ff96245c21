"""The replay engine: librdkafka reads a topic from the stored positions to its end and hands it to the same steps.

It belongs to no group and commits nothing; the store's positions are all there is. Run again, it goes on where it was.
A topic that has grown is read epoch by epoch: all partitions to where the next begins, then on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from photolog.errors import LogUnavailable
from photolog.log.growth import History
from photolog.log.kafka_config import client_config
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings
from streams.errors import AheadOfGrowth, LogTruncated
from streams.step import Step

BATCH_RECORDS_MAX = 2_000
_WAIT_SECONDS = 1.0
_TIMEOUT_SECONDS = 10.0
_OTHERS_SECONDS = 20.0
_LOOK_SECONDS = 0.2
# What made librdkafka read fastest; its defaults leave it idle between fetches.
_FAST: Mapping[str, Any] = {
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.queue.backoff.ms": 5,
}


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
    reader = _reader(kafka)
    try:
        count = 0
        for growth in await steps[0].epochs.history(topic):
            for partition, cut in enumerate(growth.cuts):
                count += await _replay_partition(reader, topic, partition, steps, cut)
        for partition in await asyncio.to_thread(_partitions, reader, topic):
            count += await _replay_partition(reader, topic, partition, steps)
        return count
    except KafkaException as error:
        raise LogUnavailable(str(error)) from error
    finally:
        await asyncio.to_thread(reader.close)


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
    reader = _reader(kafka)
    try:
        return await _replay_partition(reader, topic, partition, (step,), end, heard)
    except KafkaException as error:
        raise LogUnavailable(str(error)) from error
    finally:
        await asyncio.to_thread(reader.close)


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
        reader = _reader(kafka)
        try:
            for partition, cut in enumerate(growth.cuts):
                if partition in partitions:
                    await _replay_partition(reader, topic, partition, steps, cut)
        except KafkaException as error:
            raise LogUnavailable(str(error)) from error
        finally:
            await asyncio.to_thread(reader.close)
        deadline = time.monotonic() + _OTHERS_SECONDS
        while not await _have_passed(topic, history, epoch, steps):
            if time.monotonic() > deadline:
                raise AheadOfGrowth(f"{topic}: what came before epoch {epoch} is not applied in others' partitions")
            await asyncio.sleep(_LOOK_SECONDS)


async def _have_passed(topic: str, history: History, epoch: int, steps: Sequence[Step]) -> bool:
    return all([await step.epochs.has_passed(topic, history, epoch) for step in steps])


async def _replay_partition(
    reader: Any,
    topic: str,
    partition: int,
    steps: Sequence[Step],
    cut: int | None = None,
    heard: Heard = _unheard,
) -> int:
    place = TopicPartition(topic, partition)
    low, end = await asyncio.to_thread(reader.get_watermark_offsets, place, _TIMEOUT_SECONDS)
    begin = await _begin(topic, partition, steps, low, end)
    end = end if cut is None else min(cut, end)
    if begin >= end:
        return 0
    place.offset = begin if begin > low else OFFSET_BEGINNING
    reader.assign([place])
    count, reached = 0, begin
    while reached < end:
        records = [record for record in await asyncio.to_thread(_read, reader) if record.offset < end]
        if not records:
            # The client waits for the broker and says so in its own log; its watermark tells whether it is there.
            await asyncio.to_thread(reader.get_watermark_offsets, place, _TIMEOUT_SECONDS)
            continue
        for step in steps:
            await step.run(topic, partition, records)
        await heard(len(records))
        count += len(records)
        reached = records[-1].offset + 1
    return count


async def _begin(topic: str, partition: int, steps: Sequence[Step], low: int, end: int) -> int:
    positions = [await step.resume(topic, partition) for step in steps]
    begin = min(low if position is None else position for position in positions)
    if not low <= begin <= end:
        raise LogTruncated(f"{topic}/{partition}: the stored position is {begin}, the log holds {low} to {end}")
    return begin


def _reader(kafka: KafkaSettings) -> Any:
    return Consumer({**client_config(kafka), **_FAST, "group.id": "photolog-replay", "enable.auto.commit": False})


def _partitions(reader: Any, topic: str) -> list[int]:
    described = reader.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic]
    if described.error is not None:
        raise KafkaException(described.error)
    return sorted(described.partitions)


def _read(reader: Any) -> list[StoredRecord]:
    messages = reader.consume(BATCH_RECORDS_MAX, _WAIT_SECONDS)
    for message in messages:
        if message.error() is not None:
            raise KafkaException(message.error())
    return [stored_record(message) for message in messages]
