"""The whole log by librdkafka: every partition from its beginning to its end, in no group and with no position."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import client_config
from photolog.log.record import StoredRecord
from photolog.log.slices import SliceReader
from photolog.settings import KafkaSettings
from schemas.topics import MEDIA_REQUESTED, TOPICS
from transcode.intake import GROUP as TRANSCODE_GROUP

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
        async with SliceReader(self._kafka) as reader:
            async for batch in reader.read(await reader.whole(topic)):
                if batch.records:
                    yield batch.records

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """See `LogReader.ends`."""
        async with SliceReader(self._kafka) as reader:
            slices = [one for topic in TOPICS for one in await reader.whole(topic.name)]
        return {one.place: one.end or 0 for one in slices}

    async def transcoded(self) -> Mapping[tuple[str, int], int]:
        """See `LogReader.transcoded`: what the transcode workers' group committed."""
        async with SliceReader(self._kafka) as reader:
            places = [TopicPartition(*one.place) for one in await reader.whole(MEDIA_REQUESTED.name)]
        return await asyncio.to_thread(_committed, self._kafka, places)


def _committed(kafka: KafkaSettings, places: list[TopicPartition]) -> Mapping[tuple[str, int], int]:
    member = Consumer({**client_config(kafka), "group.id": TRANSCODE_GROUP, "enable.auto.commit": False})
    try:
        committed = member.committed(places, timeout=_TIMEOUT_SECONDS)
    except KafkaException as error:
        raise LogUnavailable(str(error)) from error
    finally:
        member.close()
    return {(place.topic, place.partition): max(0, place.offset) for place in committed}
