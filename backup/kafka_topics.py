"""Kafka's side of a backup and a restore, by librdkafka's admin client."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from backup.manifest import GroupOffset
from backup.topics import Bounds, TopicHere
from photolog.errors import LogUnavailable
from photolog.log.kafka_config import LOG_LEVEL, client_config
from photolog.log.offsets import BEGINNING, END, offsets_at
from photolog.log.slices import Place
from photolog.settings import KafkaSettings

_SECONDS = 30.0
_TRIES = 20
_PAUSE_SECONDS = 0.5
T = TypeVar("T")


class KafkaTopics:
    """See `backup.topics.Topics`.

    Args:
        kafka: the log.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._admin = AdminClient({**client_config(kafka), "log_level": LOG_LEVEL})

    async def described(self, topics: Iterable[str]) -> Mapping[str, TopicHere]:
        return await self._ask(self._described, list(topics))

    async def bounds(self, topics: Sequence[str]) -> Mapping[Place, Bounds]:
        return await self._ask(self._bounds, topics)

    async def committed(self, group: str, topic: str) -> Sequence[GroupOffset]:
        return await self._ask(self._committed, group, topic)

    async def create(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        made = NewTopic(
            topic,
            num_partitions=partitions,
            replication_factor=self._kafka.replication_factor,
            config={**config, "min.insync.replicas": str(max(1, self._kafka.replication_factor - 1))},
        )
        await self._ask(lambda: _settle(self._admin.create_topics([made], request_timeout=_SECONDS)))

    async def add_partitions(self, topic: str, partitions: int) -> None:
        more = [NewPartitions(topic, partitions)]
        await self._ask(lambda: _settle(self._admin.create_partitions(more, request_timeout=_SECONDS)))

    async def configure(self, topic: str, config: Mapping[str, str | None]) -> None:
        entries = [
            ConfigEntry(
                name,
                value or "",
                incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
            )
            for name, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        asked = [resource]
        await self._ask(lambda: _settle(self._admin.incremental_alter_configs(asked, request_timeout=_SECONDS)))

    async def delete_before(self, place: Place, offset: int) -> None:
        wanted = [TopicPartition(*place, offset)]
        await self._ask(lambda: _settle(self._admin.delete_records(wanted, request_timeout=_SECONDS)))

    async def commit(self, offsets: Sequence[GroupOffset]) -> None:
        for group, found in groupby(sorted(offsets, key=lambda one: one.group), key=lambda one: one.group):
            await self._ask(self._commit, group, list(found))

    def _described(self, topics: list[str]) -> dict[str, TopicHere]:
        there = set(self._admin.list_topics(timeout=_SECONDS).topics)
        names = [topic for topic in topics if topic in there]
        if not names:
            return {}
        described = self._admin.describe_topics(TopicCollection(names), request_timeout=_SECONDS)
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        configs = {
            resource.name: answer.result()
            for resource, answer in self._admin.describe_configs(resources, request_timeout=_SECONDS).items()
        }
        return {
            name: TopicHere(
                str(answer.result().topic_id), len(answer.result().partitions), _own_config(configs[name].values())
            )
            for name, answer in described.items()
        }

    def _bounds(self, topics: Sequence[str]) -> dict[Place, Bounds]:
        found: dict[Place, Bounds] = {}
        for topic in topics:
            partitions = self._admin.list_topics(topic, timeout=_SECONDS).topics[topic].partitions
            places = [(topic, partition) for partition in sorted(partitions)]
            ends = offsets_at(self._admin, places, END, _SECONDS)
            begins = offsets_at(self._admin, places, BEGINNING, _SECONDS)
            # What retention takes away between the two questions.
            found |= {place: Bounds(min(begins[place], ends[place]), ends[place]) for place in places}
        return found

    def _committed(self, group: str, topic: str) -> list[GroupOffset]:
        partitions = self._admin.list_topics(topic, timeout=_SECONDS).topics[topic].partitions
        member = self._member(group)
        try:
            asked = [TopicPartition(topic, partition) for partition in sorted(partitions)]
            answers = member.committed(asked, timeout=_SECONDS)
        finally:
            member.close()
        return [GroupOffset(group, topic, one.partition, one.offset) for one in answers if one.offset >= 0]

    def _commit(self, group: str, offsets: list[GroupOffset]) -> None:
        member = self._member(group)
        try:
            wanted = [TopicPartition(one.topic, one.partition, one.offset) for one in offsets]
            member.commit(offsets=wanted, asynchronous=False)
        finally:
            member.close()

    def _member(self, group: str) -> Any:
        """A client that speaks for a group and joins none."""
        return Consumer(
            {**client_config(self._kafka), "group.id": group, "enable.auto.commit": False, "log_level": LOG_LEVEL}
        )

    async def _ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """The answer, once there is one: topics that were made a moment ago have no leader yet."""
        for attempt in range(_TRIES):
            try:
                return await asyncio.to_thread(question, *arguments)
            except KafkaException as error:
                if attempt == _TRIES - 1 or not _may_pass(error):
                    raise LogUnavailable(f"Kafka: {error}") from error
                await asyncio.sleep(_PAUSE_SECONDS)
        raise AssertionError("unreachable")


def _may_pass(error: KafkaException) -> bool:
    return bool(error.args[0].retriable()) or error.args[0].name() in (
        "LEADER_NOT_AVAILABLE",
        "NOT_LEADER_FOR_PARTITION",
    )


def _own_config(entries: Iterable[Any]) -> dict[str, str]:
    """What somebody set for the topic, not what it has from the brokers."""
    return {entry.name: entry.value for entry in entries if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value}


def _settle(futures: Mapping[Any, Any]) -> None:
    for future in futures.values():
        future.result()
