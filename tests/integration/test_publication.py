"""From a request to transcode to a follower's feed, on the real engines, with real photographs."""

import asyncio
import subprocess

import msgspec
import pytest
from PIL import Image

from photolog.engines.object_store import ObjectStore
from photolog.media.originals import raw_key
from photolog.settings import Settings
from projections.media import MEDIA
from projections.posts import POSTS
from schemas import events as e
from schemas.topics import MEDIA_REQUESTED
from tests.integration.test_dead_letters import DeadLetterReader
from tests.integration.workers import Hand, WorkerProcess, eventually
from tests.unit.streams.scenario import post
from tests.unit.transcode.pictures import jpeg, quarters
from transcode.plan import variant_plan


@pytest.fixture
def objects(settings: Settings) -> ObjectStore:
    return ObjectStore(settings.s3)


async def uploaded(
    hand: Hand, objects: ObjectStore, owner: int, data: bytes, content_type: str = "image/jpeg"
) -> e.MediaTranscodingRequested:
    """Put a file where an upload would, and the event that its completion appends."""
    media_id = hand.ids.next()
    key = raw_key(owner, media_id)
    await objects.put(key, data, content_type)
    return e.MediaTranscodingRequested(
        media_id=media_id, owner_id=owner, object_key=key, content_type=content_type, size_bytes=len(data)
    )


async def settled(hand: Hand, post_id: int) -> str:
    """A post's status once it is no longer processing."""
    found: list[str] = []

    async def is_settled() -> bool:
        row = await hand.resources.rows.get(POSTS.key(post_id))
        found[:] = [row.status] if row else []
        return bool(found) and found[0] != "processing"

    await eventually(is_settled)
    return found[0]


async def test_a_post_of_two_photographs_reaches_a_followers_feed(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore
) -> None:
    author, reader, post_id = hand.ids.next(), hand.ids.next(), hand.ids.next()
    followed = e.FollowCreated(follower_id=reader, followee_id=author, wanted_status="active")
    await hand.applied("graph", await hand.append(followed))
    await hand.resources.timelines.open(reader)
    requests = [await uploaded(hand, objects, author, jpeg(quarters(900, 600))) for _ in range(2)]
    await hand.append(post(post_id, author, *(request.media_id for request in requests)), *requests)
    assert await settled(hand, post_id) == "published"

    async def in_feed() -> bool:
        return await hand.feed_of(reader) == [post_id]

    await eventually(in_feed)
    media = await hand.resources.rows.get(MEDIA.key(requests[0].media_id))
    assert media is not None
    variants = msgspec.json.decode(media.variants, type=list[e.MediaVariant])
    assert (media.status, media.width, media.height) == ("ready", 900, 600)
    assert [variant.name for variant in variants] == [variant.name for variant in variant_plan(900, 600)]
    for variant in variants:
        head = await objects.head(variant.object_key)
        assert head is not None
        assert (head.size_bytes, head.content_type) == (variant.size_bytes, variant.content_type)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"\xff\xd8\xff no picture at all", "damaged-image"), (b"plain text", "not-an-image")]
)
async def test_a_file_that_is_no_photograph_rejects_its_post(
    workers: list[WorkerProcess],
    transcoder: WorkerProcess,
    hand: Hand,
    objects: ObjectStore,
    data: bytes,
    reason: str,
) -> None:
    author, post_id = hand.ids.next(), hand.ids.next()
    request = await uploaded(hand, objects, author, data)
    await hand.append(request, post(post_id, author, request.media_id))
    status = await settled(hand, post_id)
    row = await hand.resources.rows.get(POSTS.key(post_id))
    assert row is not None
    assert (status, row.rejection) == ("rejected", reason)


async def test_an_upload_that_is_gone_fails_instead_of_waiting_for_ever(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore
) -> None:
    author = hand.ids.next()
    request = await uploaded(hand, objects, author, jpeg(Image.new("RGB", (8, 8))))
    await objects.delete(request.object_key)
    await hand.append(request)

    async def failed() -> bool:
        row = await hand.resources.rows.get(MEDIA.key(request.media_id))
        return row is not None and (row.status, row.reason) == ("failed", "missing-file")

    await eventually(failed)


async def test_photographs_begun_by_a_killed_worker_are_made_by_the_next(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore
) -> None:
    author = hand.ids.next()
    data = jpeg(quarters(2400, 1800))
    requests = [await uploaded(hand, objects, author, data) for _ in range(12)]
    await hand.append(*requests)
    keys = [MEDIA.key(request.media_id) for request in requests]

    async def ready() -> int:
        return sum(row is not None for row in await hand.resources.rows.get_many(keys))

    async def some_are_ready() -> bool:
        return await ready() > 0

    await eventually(some_are_ready)
    transcoder.kill()
    at_the_kill = await ready()

    async def all_are_ready() -> bool:
        return await ready() == len(requests)

    await eventually(all_are_ready)
    assert at_the_kill < len(requests), "the worker was killed too late to show anything"
    assert transcoder.exits[-1] == -9


async def test_poison_does_not_stop_the_transcode_worker(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore, settings: Settings
) -> None:
    author, post_id = hand.ids.next(), hand.ids.next()
    reader = await asyncio.to_thread(DeadLetterReader, settings, MEDIA_REQUESTED.dead_letters)
    request = await uploaded(hand, objects, author, jpeg(quarters(64, 48)))
    record = await hand.record(request)
    poison = msgspec.structs.replace(record, value=b"\x00\x00\x00\x00\x01 poison")
    await hand.append_records([poison])
    await hand.append(request, post(post_id, author, request.media_id))
    assert await settled(hand, post_id) == "published"
    await asyncio.to_thread(reader.read)
    await asyncio.to_thread(reader.close)
    (letter,) = reader.letters
    assert (letter.key(), letter.value()) == (record.key, poison.value)
    assert dict(letter.headers())["dead_projection"] == b"transcode"


async def test_sigterm_lets_the_transcode_worker_finish_what_it_began(
    workers: list[WorkerProcess], transcoder: WorkerProcess, hand: Hand, objects: ObjectStore
) -> None:
    request = await uploaded(hand, objects, hand.ids.next(), jpeg(quarters(1200, 900)))
    exits = len(transcoder.exits)
    await hand.append(request)
    await asyncio.sleep(0.3)
    process: subprocess.Popen[bytes] = transcoder.process
    transcoder.terminate()
    assert await asyncio.to_thread(process.wait, 20) == 0

    async def is_ready() -> bool:
        row = await hand.resources.rows.get(MEDIA.key(request.media_id))
        return row is not None and row.status == "ready"

    await eventually(is_ready)
    assert len(transcoder.exits) == exits + 1
