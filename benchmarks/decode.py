"""Decoding events: our framing over fastavro against confluent-kafka's own AvroDeserializer, on the same bytes."""

import time
from collections.abc import Callable

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from benchmarks.result import Result, paired
from photolog.seal import new_key
from schemas import events as e
from schemas.serde import SCHEMAS, Serde
from schemas.topics import topic_of

_EVENTS = 20_000


def run(rounds: int = 5) -> list[Result]:
    """Events decoded a second on one core: a like (two longs) and a published post (a nested record)."""
    key = new_key()
    # Confluent's own in-memory registry: neither side pays for a network.
    registry = SchemaRegistryClient.new_client({"url": "mock://decode"})
    serde = Serde(
        {event: registry.register_schema(known.subject, Schema(known.text, "AVRO")) for event, known in SCHEMAS.items()}
    )
    theirs = AvroDeserializer(registry, conf={"subject.name.strategy": topic_record_subject_name_strategy})
    media = e.MediaItem(media_id=1 << 50, width=4032, height=3024, variants=["w320.jpeg", "w640.jpeg", "w1080.jpeg"])
    like = e.PostLiked(actor_id=1 << 60, post_id=5 << 50)
    published = e.PostPublished(
        post_id=1 << 60, owner_id=2 << 59, published_ms=1_790_000_000_000, delivery="push", media=[media, media]
    )
    return [
        _compare(
            f"decode {event.type}",
            serde,
            theirs,
            topic_of(type(event)).name,
            serde.encode(event, lambda _: key),
            rounds,
        )
        for event in (like, published)
    ]


def _compare(name: str, serde: Serde, theirs: AvroDeserializer, topic: str, value: bytes, rounds: int) -> Result:
    context = SerializationContext(topic, MessageField.VALUE)
    return paired(
        name,
        "events/s",
        lambda: _rate(lambda: serde.open_record(serde.parse(value), lambda _: None)),
        lambda: _rate(lambda: theirs(value, context)),
        opponent_name="AvroDeserializer",
        aim=4,
        rounds=rounds,
        note="ours gives typed records, the opponent dictionaries",
    )


def _rate(decode: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(_EVENTS):
        decode()
    return _EVENTS / (time.perf_counter() - started)
