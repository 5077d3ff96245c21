"""Somebody else's program reads our topics with nothing but Confluent's own client and the registry."""

import asyncio
from typing import Any

from confluent_kafka import DeserializingConsumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer

from photolog.positions import Position
from photolog.settings import Settings
from schemas import events as e
from tests.integration.workers import Hand
from tests.unit.streams.scenario import account, follow, post, ready


def read_at(settings: Settings, positions: list[Position]) -> list[Any]:
    """The messages at these positions, as Confluent's deserialiser gives them."""
    with SchemaRegistryClient({"url": settings.registry.url}) as registry:
        consumer = DeserializingConsumer(
            {
                "bootstrap.servers": settings.kafka.bootstrap_servers,
                "group.id": "somebody-else",
                "value.deserializer": AvroDeserializer(registry),
            }
        )
        found = []
        for position in positions:
            consumer.assign([TopicPartition(position.topic, position.partition, position.offset)])
            message = consumer.poll(20)
            assert message is not None, f"nothing at {position}"
            assert message.error() is None
            found.append(message)
        consumer.close()
    return found


async def test_confluents_deserialiser_reads_every_topic(hand: Hand, settings: Settings) -> None:
    author, reader, post_id, media_id = (hand.ids.next() for _ in range(4))
    positions = await hand.append(
        account(author),
        follow(reader, author),
        post(post_id, author, media_id),
        ready(media_id, author),
        e.PostLiked(actor_id=reader, post_id=post_id),
        e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=reader, text="a secret"),
    )
    messages = await asyncio.to_thread(read_at, settings, positions)
    values = [message.value() for message in messages]
    assert (values[0]["account_id"], values[0]["private"]) == (author, False)
    assert values[1] == {
        "follower_id": reader,
        "followee_id": author,
        "wanted_status": "active",
        "privacy_version": -1,
    }
    assert (values[2]["post_id"], values[2]["media_ids"]) == (post_id, [media_id])
    assert values[3]["variants"][0]["name"] == "w320.jpeg"
    assert values[4] == {"actor_id": reader, "post_id": post_id}
    assert values[5]["post_id"] == post_id


async def test_a_reader_without_keys_sees_no_personal_data(hand: Hand, settings: Settings) -> None:
    author = hand.ids.next()
    positions = await hand.append(
        e.AccountCreated(account_id=author, username="ada_lovelace", display_name="Ada Lovelace", private=False)
    )
    (message,) = await asyncio.to_thread(read_at, settings, positions)
    value = message.value()
    assert isinstance(value["username"], bytes)
    assert b"ada" not in repr(value).lower().encode().replace(b"display_name", b"").replace(b"username", b"")


async def test_headers_say_what_the_record_is_without_decoding_it(hand: Hand, settings: Settings) -> None:
    positions = await hand.append(e.PostLiked(actor_id=hand.ids.next(), post_id=hand.ids.next()))
    (message,) = await asyncio.to_thread(read_at, settings, positions)
    headers = dict(message.headers())
    assert (headers["ce_type"], headers["ce_specversion"]) == (b"post.liked", b"1.0")
    assert headers["content-type"] == b"application/avro"
    assert {"ce_id", "ce_time", "ce_source", "correlation_id"} <= set(headers)
