"""How far behind a consumer group is that others read under, by what it committed."""

import asyncio
from collections.abc import Sequence

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from photolog.log.ends import read_ends
from photolog.log.kafka_config import client_config
from photolog.settings import KafkaSettings

_SECONDS = 5.0


class GroupLag:
    """Asks the brokers.

    Args:
        kafka: the log.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._admin = AdminClient(client_config(kafka))

    async def of(self, group: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """For each (topic, partition) how many records the group has not committed. Raises KafkaException."""
        committed = await self.committed(group)
        ends = await asyncio.to_thread(read_ends, self._admin, topics, _SECONDS)
        return {place: max(0, end - committed.get(place, 0)) for place, end in ends.items()}

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        """For each (topic, partition) that the group committed an offset of, that offset. Raises KafkaException."""
        return await asyncio.to_thread(self._committed, group)

    def _committed(self, group: str) -> dict[tuple[str, int], int]:
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        held = asked[group].result(timeout=_SECONDS).topic_partitions or []
        return {(place.topic, place.partition): place.offset for place in held if place.offset >= 0}
