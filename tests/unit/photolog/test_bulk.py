"""Appending batches: acknowledged as a whole, or an error."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from photolog.errors import LogUnavailable
from photolog.log.bulk import Appended, BulkProducer
from tests.unit.photolog.kafka_client import KAFKA


@dataclass
class MemoryClient:
    """A producer's client over a list.

    Args:
        room: how many records its queue holds.
        failing: values that the broker refuses.
        silent: whether no acknowledgement ever comes.
    """

    room: int = 100
    failing: frozenset[bytes] = frozenset()
    silent: bool = False
    config: dict[str, Any] = field(default_factory=dict)
    queue: list[dict[str, Any]] = field(default_factory=list)
    appended: list[dict[str, Any]] = field(default_factory=list)

    def producer(self) -> BulkProducer:
        def connect(config: dict[str, Any]) -> "MemoryClient":
            self.config = config
            return self

        return BulkProducer(KAFKA, connect)

    def produce(self, topic: str, **record: Any) -> None:
        if topic == "unlikes":
            raise KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))
        if len(self.queue) >= self.room:
            raise BufferError("full")
        self.queue.append({"topic": topic, **record})

    def poll(self, seconds: float) -> int:
        one = self.queue.pop(0)
        told: Callable[[KafkaError | None, Any], None] = one.pop("on_delivery")
        if one["value"] in self.failing:
            told(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)
        else:
            self.appended.append(one)
            told(None, None)
        return 1

    def purge(self) -> None:
        self.queue.clear()

    def flush(self, seconds: float) -> int:
        while self.queue and not self.silent:
            self.poll(seconds)
        return len(self.queue)


def record(value: bytes | None, *, topic: str = "likes", partition: int | None = 1) -> Appended:
    return Appended(topic, partition, b"k", value, (("ce_id", b"x"), ("nothing", None)), 1_000)


async def test_a_batch_is_appended_as_it_is_even_where_the_queue_is_small() -> None:
    client = MemoryClient(room=2)
    await client.producer().append([record(b"1"), record(None), record(b"3", partition=None)])
    assert [(one["value"], one["partition"]) for one in client.appended] == [(b"1", 1), (None, 1), (b"3", -1)]
    assert client.appended[0] == {
        "topic": "likes", "value": b"1", "key": b"k", "partition": 1,
        "headers": [("ce_id", b"x"), ("nothing", None)], "timestamp": 1_000,
    }  # fmt: skip


async def test_a_record_that_is_refused_fails_its_batch() -> None:
    client = MemoryClient(failing=frozenset({b"2"}))
    with pytest.raises(LogUnavailable, match="1 of 3 records were not appended"):
        await client.producer().append([record(b"1"), record(b"2"), record(b"3")])


async def test_a_batch_that_nobody_acknowledges_fails_and_is_not_sent_later() -> None:
    client = MemoryClient(silent=True)
    with pytest.raises(LogUnavailable, match="1 of 1 records were not appended: not acknowledged within 30 s"):
        await client.producer().append([record(b"1")])
    assert client.queue == []


async def test_a_clients_error_is_ours() -> None:
    with pytest.raises(LogUnavailable):
        await MemoryClient().producer().append([record(b"1", topic="unlikes")])


def test_nothing_is_appended_behind_a_record_that_failed() -> None:
    client = MemoryClient()
    client.producer()
    assert client.config["enable.idempotence"] is True
    assert client.config["enable.gapless.guarantee"] is True
    assert client.config["message.timeout.ms"] == 0
    assert client.config["acks"] == "all"
