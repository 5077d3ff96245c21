"""Offsets of partitions as brokers tell them: where the log begins, ends, or stood at a time."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

_spec: Any = OffsetSpec  # its methods carry no types
BEGINNING: Any = _spec.earliest()
END: Any = _spec.latest()
FIRST: Any = _spec.for_timestamp(0)
NEWEST: Any = _spec.max_timestamp()
Place = tuple[str, int]


def since(timestamp_ms: int) -> Any:
    """The first record that is not older, Unix milliseconds; its offset is -1 where every record is."""
    return _spec.for_timestamp(timestamp_ms)


def listed_offsets(admin: AdminClient, places: Iterable[Place], which: Any, seconds: float) -> dict[Place, Any]:
    """An offset of each of some partitions, with the timestamp of its record; both are negative where there is none.

    Args:
        admin: a client.
        places: topics and partitions.
        which: `BEGINNING`, `END`, `FIRST`, `NEWEST`, or `since` a time.
        seconds: how long the answer may take.

    Raises:
        KafkaException: no broker answered in time.
    """
    asked = {TopicPartition(*place): which for place in places}
    answers = admin.list_offsets(asked, request_timeout=seconds) if asked else {}
    return {(place.topic, place.partition): answer.result() for place, answer in answers.items()}


def offsets_at(admin: AdminClient, places: Iterable[Place], which: Any, seconds: float) -> dict[Place, int]:
    """As `listed_offsets`, the offsets alone."""
    return {place: listed.offset for place, listed in listed_offsets(admin, places, which, seconds).items()}
