"""Poison in a real topic: aside it goes, with its reason, and the workers live on."""

import asyncio
import re
import secrets
import struct
import sys
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from infra.local.home import REPOSITORY
from photolog.log.kafka_config import client_config
from photolog.settings import Settings
from projections.likes import LIKE_COUNTS
from schemas import events as e
from schemas.topics import LIKES
from tests.integration.workers import Hand, WorkerProcess, eventually, without_deployment

_PAGE = REPOSITORY / "docs/DEAD_LETTERS.md"
_COMMAND = re.compile(r"^bin/photolog ([^#\n]*)", re.MULTILINE)


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


async def test_a_parked_key_is_dropped_and_retried_as_the_page_says(
    workers: list[WorkerProcess], hand: Hand, settings: Settings, migrated: dict[str, str]
) -> None:
    actor, first, second = (hand.ids.next() for _ in range(3))
    good = await hand.record(e.PostLiked(actor_id=actor, post_id=first))
    producer = Producer({**client_config(settings.kafka), "partitioner": "murmur2_random"})
    producer.produce(LIKES.name, key=good.key, value=b"garbage", headers=list(good.headers))
    await asyncio.to_thread(producer.flush, 20)
    acts = (e.PostLiked(actor_id=actor, post_id=first), e.PostLiked(actor_id=actor, post_id=second))
    undone, others = e.PostUnliked(actor_id=actor, post_id=first), e.PostLiked(actor_id=hand.ids.next(), post_id=first)
    positions = await hand.append(*acts, undone, others)
    await hand.applied("likes", positions)
    assert [await likes(hand, post_id) for post_id in (first, second)] == [1, 0]

    letter = f"{LIKES.name}/{positions[0].partition}/{positions[0].offset - 1}"
    names = [letter, *(f"{LIKES.name}/{at.partition}/{at.offset}" for at in positions[:3])]
    named = {"likes/3/1207": letter, "likes/3/1208": names[1]}
    commands = [[named.get(word, word) for word in command.split()] for command in _COMMAND.findall(_PAGE.read_text())]
    looking, changing = commands[:2], commands[2:]
    listed, shown = await asyncio.gather(*(command_line(migrated, *command) for command in looking))
    refused, dropped, retried = [await command_line(migrated, *command) for command in changing]
    assert letter in listed[1]
    assert all(words in shown[1] for words in ("magic byte is 103", b"garbage".hex(), f"3: {' '.join(names[1:])}"))
    assert (refused[0], f"0 appended; {letter} cannot be processed: undecodable" in refused[1]) == (1, True)
    assert (dropped[0], dropped[1]) == (0, "1 letter given up\n")
    assert retried[1].endswith("3 appended; nothing is left\n")
    assert [await likes(hand, post_id) for post_id in (first, second)] == [1, 1]
    for stored in (await hand.positions("likes")).values():
        counts = stored.counts
        assert counts.consumed == sum((counts.applied, counts.duplicates, counts.noops, counts.dead, counts.parked))
        assert good.key not in stored.parked


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


async def likes(hand: Hand, post_id: int) -> int:
    """How many like a post."""
    return sum(row.count for row in await hand.resources.rows.scan(LIKE_COUNTS, (post_id,), limit=50))


async def command_line(environment: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    """The exit status of a command of ours, and what it says to somebody with a very wide screen."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.app", *arguments,
        cwd=REPOSITORY, env={**without_deployment(), **environment, "COLUMNS": "400"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode, output.decode()
