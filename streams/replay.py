"""The replay engine: librdkafka reads a topic from the stored positions to its end and hands it to the same steps.

It belongs to no group and commits nothing; the store's positions are all there is. Run again, it goes on where it was.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import client_config
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings
from streams.errors import LogTruncated
from streams.step import Step

BATCH_RECORDS_MAX = 2_000
_WAIT_SECONDS = 1.0
_TIMEOUT_SECONDS = 10.0
# What made librdkafka read fastest; its defaults leave it idle between fetches.
_FAST: Mapping[str, Any] = {
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.queue.backoff.ms": 5,
}


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
    reader = Consumer({**client_config(kafka), **_FAST, "group.id": "photolog-replay", "enable.auto.commit": False})
    try:
        count = 0
        for partition in await asyncio.to_thread(_partitions, reader, topic):
            count += await _replay_partition(reader, topic, partition, steps)
        return count
    except KafkaException as error:
        raise LogUnavailable(str(error)) from error
    finally:
        await asyncio.to_thread(reader.close)


async def _replay_partition(reader: Any, topic: str, partition: int, steps: Sequence[Step]) -> int:
    place = TopicPartition(topic, partition)
    low, end = await asyncio.to_thread(reader.get_watermark_offsets, place, _TIMEOUT_SECONDS)
    begin = await _begin(topic, partition, steps, low, end)
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
        count += len(records)
        reached = records[-1].offset + 1
    return count


async def _begin(topic: str, partition: int, steps: Sequence[Step], low: int, end: int) -> int:
    positions = [await step.resume(topic, partition) for step in steps]
    begin = min(low if position is None else position for position in positions)
    if not low <= begin <= end:
        raise LogTruncated(f"{topic}/{partition}: the stored position is {begin}, the log holds {low} to {end}")
    return begin


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
