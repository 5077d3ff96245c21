"""The whole log by librdkafka: every partition from its beginning to its end, in no group and with no position."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import client_config
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.settings import KafkaSettings
from schemas.topics import MEDIA_REQUESTED, TOPICS
from transcode.intake import GROUP as TRANSCODE_GROUP

_GROUP = "photolog-leaving"
_BATCH_RECORDS = 2_000
_WAIT_SECONDS = 0.1  # a batch that does not fill waits so long for more
_TIMEOUT_SECONDS = 10.0


class KafkaLog:
    """`leaving.mentions.LogReader` over Kafka.

    Args:
        kafka: the log.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka

    async def read(self, topic: str) -> AsyncIterator[Sequence[StoredRecord]]:
        """See `LogReader.read`."""
        reader = self._consumer(_GROUP)
        try:
            partitions = await _asked(_partitions, reader, topic)
            places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]
            async for records in _read(reader, places):
                yield records
        finally:
            await asyncio.to_thread(reader.close)

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """See `LogReader.ends`."""
        reader = self._consumer(_GROUP)
        try:
            found = {}
            for topic in TOPICS:
                for partition in await _asked(_partitions, reader, topic.name):
                    place = TopicPartition(topic.name, partition)
                    _, found[topic.name, partition] = await _asked(
                        reader.get_watermark_offsets, place, _TIMEOUT_SECONDS
                    )
            return found
        finally:
            await asyncio.to_thread(reader.close)

    async def transcoded(self) -> Mapping[tuple[str, int], int]:
        """See `LogReader.transcoded`: what the transcode workers' group committed."""
        reader = self._consumer(TRANSCODE_GROUP)
        try:
            topic = MEDIA_REQUESTED.name
            places = [TopicPartition(topic, partition) for partition in await _asked(_partitions, reader, topic)]
            committed = await _asked(reader.committed, places, _TIMEOUT_SECONDS)
            return {(topic, place.partition): max(0, place.offset) for place in committed}
        finally:
            await asyncio.to_thread(reader.close)

    def _consumer(self, group: str) -> Any:
        return Consumer({**client_config(self._kafka), "group.id": group, "enable.auto.commit": False})


async def _read(reader: Any, places: Sequence[TopicPartition]) -> AsyncIterator[Sequence[StoredRecord]]:
    """All partitions together, so that one wait for the broker serves them all."""
    left: dict[int, int] = {}
    for place in places:
        begin, end = await _asked(reader.get_watermark_offsets, place, _TIMEOUT_SECONDS)
        if begin < end:
            left[place.partition] = end
    await _asked(reader.assign, [place for place in places if place.partition in left])
    while left:
        batch = await _asked(_batch, reader)
        if not batch:
            # The client waits for the broker without a word; its watermark tells whether it is there.
            await _asked(reader.get_watermark_offsets, places[0], _TIMEOUT_SECONDS)
        records = [record for record in batch if record.offset < left.get(record.partition, 0)]
        if records:
            yield records
        for record in records:
            if record.offset + 1 >= left.get(record.partition, 0):
                left.pop(record.partition, None)


def _batch(reader: Any) -> list[StoredRecord]:
    messages = reader.consume(_BATCH_RECORDS, _WAIT_SECONDS)
    for message in messages:
        if message.error() is not None:
            raise KafkaException(message.error())
    return [stored_record(message) for message in messages]


def _partitions(reader: Any, topic: str) -> list[int]:
    described = reader.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic]
    if described.error is not None:
        raise KafkaException(described.error)
    return sorted(described.partitions)


async def _asked(function: Any, *arguments: Any) -> Any:
    """A call of the client's, off the loop, with its errors as ours."""
    try:
        return await asyncio.to_thread(function, *arguments)
    except KafkaException as error:
        raise LogUnavailable(str(error)) from error
