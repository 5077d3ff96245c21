"""Poison in a real topic: aside it goes, with its reason, and the workers live on."""

import asyncio
import secrets
import struct
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from photolog.log.kafka_config import client_config
from photolog.settings import Settings
from projections.likes import LIKE_COUNTS
from schemas import events as e
from schemas.topics import LIKES
from tests.integration.workers import Hand, WorkerProcess, eventually


class DeadLetterReader:
    """Reads a dead-letter topic from where it ended when this was made."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._consumer = Consumer({**client_config(settings.kafka), "group.id": f"test-{secrets.token_hex(4)}"})
        partitions = self._consumer.list_topics(topic, timeout=20).topics[topic].partitions
        places = [TopicPartition(topic, partition) for partition in partitions]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=20)[1]
        self._consumer.assign(places)
        self.letters: list[Any] = []

    def read(self) -> None:
        """Take what has arrived."""
        self.letters += [message for message in self._consumer.consume(100, 0.2) if message.error() is None]

    def close(self) -> None:
        self._consumer.close()


async def test_each_kind_of_poison_is_set_aside_and_the_workers_live_on(
    workers: list[WorkerProcess], hand: Hand, settings: Settings
) -> None:
    post_id = hand.ids.next()
    good = await hand.record(e.PostLiked(actor_id=hand.ids.next(), post_id=post_id))
    schema_id = good.value[1:5]
    poison = {
        b"garbage": b"\xde\xad\xbe\xef not avro",
        b"magic": b"\x09" + good.value[1:],
        b"schema": b"\x00" + struct.pack(">I", 987_654_321) + good.value[5:],
        b"short": b"\x00" + schema_id + good.value[5:-2],
        b"null": None,
    }
    reasons = {
        b"garbage": "magic byte is -34",
        b"magic": "magic byte is 9",
        b"schema": "schema id 987654321 is unknown",
        b"short": "not a PostLiked",
        b"null": "shorter than the framing",
    }
    exits = [list(worker.exits) for worker in workers]
    reader = await asyncio.to_thread(DeadLetterReader, settings, LIKES.dead_letters)
    producer = Producer({**client_config(settings.kafka), "partitioner": "murmur2_random"})
    for key, value in poison.items():
        producer.produce(LIKES.name, key=key, value=value, headers=list(good.headers))
    await asyncio.to_thread(producer.flush, 20)
    positions = await hand.append(*(e.PostLiked(actor_id=hand.ids.next(), post_id=post_id) for _ in range(40)))
    await hand.applied("likes", positions)

    async def all_aside() -> bool:
        await asyncio.to_thread(reader.read)
        return len(reader.letters) >= len(poison)

    await eventually(all_aside)
    await asyncio.to_thread(reader.close)
    counts = await hand.resources.rows.scan(LIKE_COUNTS, (post_id,), limit=50)
    assert sum(row.count for row in counts) == 40
    assert [list(worker.exits) for worker in workers] == exits
    assert {letter.key(): letter.value() for letter in reader.letters} == {
        key: value or b"" for key, value in poison.items()
    }
    for letter in reader.letters:
        headers = dict(letter.headers())
        assert reasons[letter.key()] in headers["dead_reason"].decode()
        assert (headers["dead_topic"], headers["dead_projection"]) == (b"likes", b"likes")
        assert headers["ce_id"] == dict(good.headers)["ce_id"]
        assert headers["dead_partition"].isdigit()
        assert headers["dead_offset"].isdigit()


@pytest.mark.parametrize("topic", ["feed.fanout"])
async def test_an_event_in_the_wrong_topic_is_set_aside(
    workers: list[WorkerProcess], hand: Hand, settings: Settings, topic: str
) -> None:
    reader = await asyncio.to_thread(DeadLetterReader, settings, f"{topic}.dead")
    like = await hand.record(e.PostLiked(actor_id=hand.ids.next(), post_id=hand.ids.next()))
    producer = Producer(client_config(settings.kafka))
    producer.produce(topic, key=like.key, value=like.value, headers=list(like.headers))
    await asyncio.to_thread(producer.flush, 20)

    async def aside() -> bool:
        await asyncio.to_thread(reader.read)
        return bool(reader.letters)

    await eventually(aside)
    await asyncio.to_thread(reader.close)
    assert b"does not belong to the topic feed.fanout" in dict(reader.letters[0].headers())["dead_reason"]
