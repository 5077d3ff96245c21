"""Making topics. Nothing else creates one: the broker's automatic creation is off."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import client_config
from photolog.settings import KafkaSettings

_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class TopicWanted:
    """A topic to create.

    Args:
        name: its name.
        retention_ms: -1 for ever.
        partitions: how many; None for as many as the settings say.
    """

    name: str
    retention_ms: int
    partitions: int | None = None


def create_topics(kafka: KafkaSettings, wanted: Iterable[TopicWanted]) -> list[str]:
    """Create the topics that are missing and leave the others as they are.

    Returns:
        The names of those that were created.

    Raises:
        LogUnavailable: the broker did not answer, or refused one.
    """
    admin = AdminClient(client_config(kafka))
    try:
        present = set(admin.list_topics(timeout=_TIMEOUT_SECONDS).topics)
        missing = [topic for topic in wanted if topic.name not in present]
        if not missing:
            return []
        futures = admin.create_topics([_new_topic(kafka, topic) for topic in missing], request_timeout=_TIMEOUT_SECONDS)
        for future in futures.values():
            _settle(future.exception())
    except KafkaException as error:
        raise LogUnavailable(f"Kafka: {error}") from error
    return [topic.name for topic in missing]


def _new_topic(kafka: KafkaSettings, topic: TopicWanted) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions or kafka.partitions,
        replication_factor=kafka.replication_factor,
        config={
            "retention.ms": str(topic.retention_ms),
            "cleanup.policy": "delete",
            # When an action happened, not when the broker heard of it.
            "message.timestamp.type": "CreateTime",
            "min.insync.replicas": str(max(1, kafka.replication_factor - 1)),
        },
    )


def _settle(error: BaseException | None) -> None:
    """Another migration may have created the topic in the meantime."""
    if error is None:
        return
    reason = error.args[0] if isinstance(error, KafkaException) else None
    if isinstance(reason, KafkaError) and reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return
    raise error
