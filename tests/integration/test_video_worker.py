"""From a request to make a video to a published post, on the real engines, also where a worker is killed meanwhile."""

import asyncio
import os
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

import m3u8
import msgspec
import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition

from photolog.engines.object_store import ObjectStore
from photolog.log.kafka_config import client_config
from photolog.settings import Settings
from projections.media import MEDIA
from projections.posts import POSTS
from schemas import events as e
from schemas.topics import MEDIA_COMPLETED, MEDIA_REQUESTED
from tests.integration.test_dead_letters import DeadLetterReader
from tests.integration.test_publication import uploaded
from tests.integration.transcode.video_files import opened
from tests.integration.workers import Hand, WorkerProcess, eventually
from tests.unit.streams.scenario import post
from tests.unit.transcode.clips import clip
from transcode.ladder import MASTER
from transcode.plan import clip_prints_key

_ANSWER = e.MediaTranscodingCompleted | e.MediaTranscodingFailed


@pytest.fixture
def objects(settings: Settings) -> ObjectStore:
    return ObjectStore(settings.s3)


async def settled(hand: Hand, post_id: int) -> tuple[str, str | None]:
    """A post's status once it is no longer processing, and why it was rejected."""
    found: list[Any] = []

    async def is_settled() -> bool:
        found[:] = [await hand.resources.rows.get(POSTS.key(post_id))]
        return found[0] is not None and found[0].status != "processing"

    await eventually(is_settled)
    return found[0].status, found[0].rejection


async def stored(hand: Hand, objects: ObjectStore, media_id: int) -> list[e.MediaVariant]:
    """What the row of a video names, each looked for in the bucket."""
    row = await hand.resources.rows.get(MEDIA.key(media_id))
    assert row is not None
    variants = msgspec.json.decode(row.variants, type=list[e.MediaVariant])
    for variant in variants:
        head = await objects.head(variant.object_key)
        assert head is not None, variant.name
        assert (head.size_bytes, head.content_type) == (variant.size_bytes, variant.content_type)
    return variants


async def test_a_post_of_a_video_is_published_with_everything_that_plays_it(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore, tmp_path: Path
) -> None:
    author, post_id = hand.ids.next(), hand.ids.next()
    request = await uploaded(hand, objects, author, clip("160x96", seconds=5.0, suffix=".mov"), "video/quicktime")
    await hand.append(post(post_id, author, request.media_id), request)
    assert await settled(hand, post_id) == ("published", None)
    variants = await stored(hand, objects, request.media_id)
    for variant in variants:
        await asyncio.to_thread((tmp_path / variant.name).write_bytes, await objects.get(variant.object_key))
    playlist = m3u8.load(str(tmp_path / MASTER))
    assert [one.uri for one in playlist.playlists] == ["h264-96.m3u8", "av1-96.m3u8"]
    with opened(tmp_path / MASTER) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(container.streams.video[0])) == 150


async def test_a_video_that_is_refused_rejects_its_post_and_the_worker_lives_on(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore, settings: Settings
) -> None:
    exits, dead = list(transcoder.exits), DeadLetterReader(settings, MEDIA_REQUESTED.dead_letters)
    author, post_id = hand.ids.next(), hand.ids.next()

    async def has_letter() -> bool:
        await asyncio.to_thread(dead.read)
        return bool(dead.letters)

    request = await uploaded(hand, objects, author, clip()[:20_000], "video/mp4")
    await hand.append(request, post(post_id, author, request.media_id))
    assert await settled(hand, post_id) == ("rejected", "damaged-video")
    said = [line for line in transcoder.log.read_text().splitlines() if str(request.media_id) in line]
    assert any("Invalid data" in line for line in said), said
    assert transcoder.exits == exits
    # Operators find ffmpeg's own words with the request.
    await eventually(has_letter)
    dead.close()
    (reason,) = (dict(letter.headers())["dead_reason"].decode() for letter in dead.letters)
    assert reason.startswith("failed: damaged-video: ")
    assert "Invalid data" in reason


async def test_a_video_that_a_killed_worker_had_begun_is_made_whole_and_once_by_the_next(
    workers: list[WorkerProcess],
    transcoder: WorkerProcess,
    hand: Hand,
    objects: ObjectStore,
    settings: Settings,
    scratch: Path,
) -> None:
    author = hand.ids.next()
    request = await uploaded(hand, objects, author, clip("960x720", seconds=4.0), "video/mp4")
    await hand.append(request)

    async def is_encoding() -> bool:
        return any("ffmpeg" in child.name() for child in children(transcoder))

    await eventually(is_encoding)
    encoders = children(transcoder)
    (left,) = os.listdir(scratch)
    transcoder.kill()
    assert await hand.resources.rows.get(MEDIA.key(request.media_id)) is None, "the worker was killed too late"

    async def is_ready() -> bool:
        return await hand.resources.rows.get(MEDIA.key(request.media_id)) is not None

    await eventually(is_ready)
    assert transcoder.exits[-1] == -9
    assert not any(encoder.is_running() and encoder.status() != psutil.STATUS_ZOMBIE for encoder in encoders)
    variants = await stored(hand, objects, request.media_id)
    in_bucket = [key async for keys in objects.keys(f"processed/{request.media_id}/") for key in keys]
    assert Counter(in_bucket) == Counter([clip_prints_key(request.media_id), *(one.object_key for one in variants)])
    answers = await asyncio.to_thread(answers_about, hand, settings, request.media_id)
    assert len(set(answers)) == 1
    assert left not in os.listdir(scratch)


def children(worker: WorkerProcess) -> list[psutil.Process]:
    try:
        return psutil.Process(worker.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def answers_about(hand: Hand, settings: Settings, media_id: int) -> list[bytes]:
    """The event ids of the answers about an upload that are in the log."""
    reader: Any = Consumer({**client_config(settings.kafka), "group.id": f"test-{secrets.token_hex(4)}"})
    found = []
    try:
        for partition in reader.list_topics(MEDIA_COMPLETED.name, timeout=20).topics[MEDIA_COMPLETED.name].partitions:
            place = TopicPartition(MEDIA_COMPLETED.name, partition)
            first, end = reader.get_watermark_offsets(place, timeout=20)
            reader.assign([TopicPartition(MEDIA_COMPLETED.name, partition, first)])
            position = first
            while position < end:
                for message in reader.consume(500, 0.05):
                    position = message.offset() + 1
                    event = hand.resources.serde.open_record(
                        hand.resources.serde.parse(message.value()), lambda _: None
                    )
                    if isinstance(event, _ANSWER) and event.media_id == media_id:
                        found.append(dict(message.headers())["ce_id"])
    finally:
        reader.close()
    return found
