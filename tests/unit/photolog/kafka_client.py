"""A consumer's client over lists: what `SliceReader` asks of librdkafka, without a broker."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from photolog.log.record import StoredRecord
from photolog.log.slices import Place, SliceReader
from photolog.settings import KafkaSettings

KAFKA = KafkaSettings(bootstrap_servers="nowhere.example:9092")


def record(
    topic: str, partition: int, offset: int, timestamp_ms: int, *, key: bytes = b"k", event_type: str = ""
) -> StoredRecord:
    """A record that says little."""
    headers: tuple[tuple[str, bytes | None], ...] = (("ce_type", event_type.encode()),) if event_type else ()
    return StoredRecord(topic, partition, offset, key, b"value", headers, timestamp_ms)


@dataclass
class MemoryClient:
    """Partitions as lists of records; a gap in their offsets is a transaction's marker.

    Args:
        log: the records of each partition.
        ends: the ends of partitions that end with no record.
        chaos: decides which partitions give how much.
        away: whether the broker is.
    """

    log: Mapping[Place, list[StoredRecord]]
    ends: Mapping[Place, int] = field(default_factory=dict)
    chaos: random.Random = field(default_factory=lambda: random.Random(0))
    away: bool = False
    config: dict[str, Any] = field(default_factory=dict)
    at: dict[Place, int] = field(default_factory=dict)
    paused: set[Place] = field(default_factory=set)
    told: dict[Place, int] = field(default_factory=dict)
    given: int = 0
    closed: bool = False

    def reader(self) -> SliceReader:
        """A reader over it."""

        def connect(config: dict[str, Any]) -> "MemoryClient":
            self.config = config
            return self

        return SliceReader(KAFKA, connect)

    def list_topics(self, topic: str, timeout: float) -> Any:
        self._reach()
        partitions = {partition: None for name, partition in self.log if name == topic}
        unknown = None if partitions else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=partitions, error=unknown)})

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        self._reach()
        return self._bounds((place.topic, place.partition))

    def offsets_for_times(self, places: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        self._reach()
        return [TopicPartition(place.topic, place.partition, self._first(place)) for place in places]

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self.at = {
            (place.topic, place.partition): self._bounds((place.topic, place.partition))[0]
            if place.offset == OFFSET_BEGINNING
            else place.offset
            for place in places
        }
        self.told = {}

    def pause(self, places: Sequence[TopicPartition]) -> None:
        self.paused |= {(place.topic, place.partition) for place in places}

    def resume(self, places: Sequence[TopicPartition]) -> None:
        self.paused -= {(place.topic, place.partition) for place in places}

    def consume(self, count: int, timeout: float) -> list[Any]:
        if self.away:
            return []
        found: list[Any] = []
        places = [place for place in self.at if place not in self.paused]
        self.chaos.shuffle(places)
        for place in places[: self.chaos.randint(1, len(places))] if places else ():
            wanted = self.chaos.randint(1, count)
            records = [one for one in self.log[place] if one.offset >= self.at[place]][:wanted]
            found += [Message(one) for one in records]
            self.at[place] = records[-1].offset + 1 if records else self.at[place]
            end = self._bounds(place)[1]
            if len(records) < wanted and self.told.get(place) != end:
                self.told[place] = end
                found.append(Message(record(*place, end, 0), KafkaError(KafkaError._PARTITION_EOF)))
        self.given += len(found)
        return found

    def close(self) -> None:
        self.closed = True

    def _bounds(self, place: Place) -> tuple[int, int]:
        records = self.log[place]
        end = self.ends.get(place, records[-1].offset + 1 if records else 0)
        return records[0].offset if records else end, end

    def _first(self, place: TopicPartition) -> int:
        """The first offset of a time or later, as Kafka answers."""
        records = self.log[place.topic, place.partition]
        return next((one.offset for one in records if one.timestamp_ms >= place.offset), -1)

    def _reach(self) -> None:
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))


@dataclass
class Message:
    """A message of the client's."""

    record: StoredRecord
    failure: KafkaError | None = None

    def error(self) -> KafkaError | None:
        return self.failure

    def topic(self) -> str:
        return self.record.topic

    def partition(self) -> int:
        return self.record.partition

    def offset(self) -> int:
        return self.record.offset

    def key(self) -> bytes | None:
        return self.record.key

    def value(self) -> bytes | None:
        return self.record.value

    def headers(self) -> Any:
        return list(self.record.headers)

    def timestamp(self) -> tuple[int, int]:
        return 1, self.record.timestamp_ms
