"""What growing a topic asks of Kafka: its partitions, their ends, more of them, and a fence against appends."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    ResourceType,
)

from photolog.errors import Conflict, LogUnavailable
from photolog.log.ends import read_ends
from photolog.log.kafka_config import client_config
from photolog.settings import KafkaSettings

_TIMEOUT_SECONDS = 20.0
_FENCE = "max.message.bytes"
_FENCED = "1"  # no batch is so small, so the brokers refuse all of them at once, and no producer tries again by itself
T = TypeVar("T")


class TopicAdmin:
    """One topic's side of Kafka.

    Args:
        kafka: the log.
        topic: its name.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._admin = AdminClient(client_config(kafka))
        self._topic = topic

    async def partitions(self) -> int:
        """How many the topic has.

        Raises:
            Conflict: there is no such topic.
            LogUnavailable: no broker answered.
        """
        described = (await self._ask(lambda: self._admin.list_topics(timeout=_TIMEOUT_SECONDS))).topics
        if self._topic not in described:
            raise Conflict("no-such-topic", f"Kafka has no topic {self._topic}; `migrate` makes it")
        return len(described[self._topic].partitions)

    async def ends(self) -> tuple[int, ...]:
        """The next offset of each partition. Raises LogUnavailable."""
        found = await self._ask(lambda: read_ends(self._admin, [self._topic], _TIMEOUT_SECONDS))
        return tuple(found[place] for place in sorted(found))

    async def own_limit(self) -> str | None:
        """The size limit that somebody gave the topic, which lifting the fence would lose. Raises LogUnavailable."""
        own = await self._ask(self._limit)
        return None if own == _FENCED else own

    async def fence(self) -> None:
        """Have every append refused. Raises LogUnavailable."""
        await self._ask(lambda: self._alter(ConfigEntry(_FENCE, _FENCED, incremental_operation=AlterConfigOpType.SET)))

    async def lift(self) -> None:
        """Let appends in again. Raises LogUnavailable."""
        await self._ask(lambda: self._alter(ConfigEntry(_FENCE, "", incremental_operation=AlterConfigOpType.DELETE)))

    async def add(self, partitions: int) -> None:
        """Add partitions, up to so many. Raises LogUnavailable."""
        await self._ask(lambda: self._settle(self._admin.create_partitions([NewPartitions(self._topic, partitions)])))

    def _limit(self) -> str | None:
        """The topic's own limit, None where it has the brokers'."""
        resource = ConfigResource(ResourceType.TOPIC, self._topic)
        (described,) = self._admin.describe_configs([resource], request_timeout=_TIMEOUT_SECONDS).values()
        entry = described.result()[_FENCE]
        is_own = entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return str(entry.value) if is_own else None

    def _alter(self, entry: ConfigEntry) -> None:
        resource = ConfigResource(ResourceType.TOPIC, self._topic, incremental_configs=[entry])
        self._settle(self._admin.incremental_alter_configs([resource], request_timeout=_TIMEOUT_SECONDS))

    @staticmethod
    def _settle(futures: Any) -> None:
        for future in futures.values():
            future.result()

    async def _ask(self, question: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(question)
        except KafkaException as error:
            raise LogUnavailable(f"Kafka: {error}") from error
