"""What Kafka says of topics: partitions, retention, how much they hold, and from when to when."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import LOG_LEVEL, client_config
from photolog.log.offsets import BEGINNING, END, FIRST, NEWEST, listed_offsets
from photolog.settings import KafkaSettings

_TIMEOUT_SECONDS = 20.0
_TRIES = 5
_PAUSE_SECONDS = 0.5
_LEADERLESS = frozenset({KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION})


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as it is.

    Args:
        partitions: how many it has.
        retention_ms: how long it keeps records, -1 for ever.
        records: how many it holds: the ends of the partitions less their beginnings.
        first_ms: the time of the first record that it holds, the earliest of its partitions' first ones, in Unix
            milliseconds; None where it is empty.
        last_ms: the latest time of any record.
    """

    partitions: int
    retention_ms: int
    records: int
    first_ms: int | None
    last_ms: int | None


def topic_states(kafka: KafkaSettings, topics: Iterable[str]) -> Mapping[str, TopicState]:
    """How those of the topics are that Kafka has.

    Raises:
        LogUnavailable: the brokers did not answer.
    """
    admin, names = AdminClient({**client_config(kafka), "log_level": LOG_LEVEL}), list(topics)
    for attempt in range(_TRIES):
        try:
            return _asked(admin, names)
        except KafkaException as error:
            # A topic that was made a moment ago has no leader yet, and this client does not ask again by itself.
            if attempt == _TRIES - 1 or error.args[0].code() not in _LEADERLESS:
                raise LogUnavailable(f"Kafka: {error}") from error
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _asked(admin: AdminClient, topics: Sequence[str]) -> Mapping[str, TopicState]:
    described = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
    return _states(admin, {topic: sorted(described[topic].partitions) for topic in topics if topic in described})


def _states(admin: AdminClient, places: Mapping[str, Sequence[int]]) -> Mapping[str, TopicState]:
    if not places:
        return {}
    wanted = [(topic, one) for topic, partitions in places.items() for one in partitions]
    begins, ends, firsts, lasts = (
        listed_offsets(admin, wanted, which, _TIMEOUT_SECONDS) for which in (BEGINNING, END, FIRST, NEWEST)
    )
    retention = _retention(admin, places)
    return {
        topic: TopicState(
            partitions=len(partitions),
            retention_ms=retention[topic],
            records=sum(ends[topic, one].offset - begins[topic, one].offset for one in partitions),
            first_ms=min(_times(firsts[topic, one] for one in partitions), default=None),
            last_ms=max(_times(lasts[topic, one] for one in partitions), default=None),
        )
        for topic, partitions in places.items()
    }


def _times(answers: Iterable[Any]) -> list[int]:
    return [answer.timestamp for answer in answers if answer.offset >= 0]


def _retention(admin: AdminClient, topics: Iterable[str]) -> dict[str, int]:
    resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
    answers: Mapping[ConfigResource, Future[Any]] = admin.describe_configs(resources, request_timeout=_TIMEOUT_SECONDS)
    return {resource.name: int(answer.result()["retention.ms"].value) for resource, answer in answers.items()}
