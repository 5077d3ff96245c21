"""Uploads: what is promised beforehand is checked afterwards, and nothing is asked for twice."""

import asyncio

import pytest

from gateway import media_watch
from gateway.commands import uploads as commands
from gateway.commands.uploads import BeginUpload, CompleteUpload, FinishedPart, UploadBegun
from gateway.joining import PART_BYTES
from gateway.queries import uploads as queries
from gateway.queries.uploads import UploadQuery, UploadStatus
from photolog.engines.object_store import ObjectRefused, UploadPart
from photolog.errors import Conflict, Invalid, NotFound
from photolog.media.originals import UNFINISHED_MS_MAX
from schemas import events as e
from tests.unit.gateway_social.world import World

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 96
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + b"\0" * 76
M4A = b"\0\0\0\x14ftypM4A \0\0\2\0M4A " + b"\0" * 76
OPUS = b"OggS\0\x02" + b"\0" * 20 + b"\x01\x13OpusHead\x01\x01" + b"\0" * 40
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + b"\0" * 84


async def begin(world: World, viewer: int, size_bytes: int, name: str | None = None) -> UploadBegun:
    """Begin an upload of a JPEG."""
    body = BeginUpload(content_type="image/jpeg", size_bytes=size_bytes, client_upload_id=name)
    begun = (await world.answer(viewer, commands.begin, body)).body
    assert isinstance(begun, UploadBegun)
    return begun


def send(world: World, begun: UploadBegun, data: bytes) -> CompleteUpload:
    """PUT the parts, and make the body that completes the upload."""
    parts, start = [], 0
    for part in begun.parts:
        etag = world.objects.put_part(part.url, data[start : start + part.size_bytes])
        parts.append(FinishedPart(number=part.number, etag=etag))
        start += part.size_bytes
    return CompleteUpload(parts=parts)


async def state_of(world: World, viewer: int, media_id: str, wait: int = 0) -> UploadStatus:
    """How far an upload is."""
    status = (await world.answer(viewer, queries.upload, query=UploadQuery(wait=wait), media_id=media_id)).body
    assert isinstance(status, UploadStatus)
    return status


@pytest.mark.parametrize(
    ("size_bytes", "sizes"),
    [
        (1, [1]),
        (PART_BYTES, [PART_BYTES]),
        (PART_BYTES + 1, [PART_BYTES, 1]),
        (20 * 1024 * 1024, [PART_BYTES] * 4),
    ],
)
async def test_an_upload_has_a_part_for_each_five_mebibytes(world: World, size_bytes: int, sizes: list[int]) -> None:
    begun = await begin(world, await world.person(), size_bytes)
    assert [part.size_bytes for part in begun.parts] == sizes
    assert [part.number for part in begun.parts] == list(range(1, len(sizes) + 1))


@pytest.mark.parametrize(
    ("content_type", "size_bytes", "field"),
    [
        ("image/gif", 10, "content_type"),
        ("text/html", 10, "content_type"),
        ("image/png", 20 * 2**20 + 1, "size_bytes"),
        ("video/webm", 10, "content_type"),
        ("video/mp4", 100 * 2**20 + 1, "size_bytes"),
    ],
)
async def test_what_is_not_taken_is_refused_before_a_byte_is_sent(
    world: World, content_type: str, size_bytes: int, field: str
) -> None:
    ada = await world.person()
    with pytest.raises(Invalid) as refused:
        await world.answer(ada, commands.begin, BeginUpload(content_type=content_type, size_bytes=size_bytes))
    assert refused.value.field == field
    assert not world.objects.uploads


async def test_a_reel_is_a_video(world: World) -> None:
    ada = await world.person()
    for content_type in ("image/jpeg", "image/png"):
        body = BeginUpload(content_type=content_type, size_bytes=10, purpose="reel")
        with pytest.raises(Invalid, match="a reel is a video"):
            await world.answer(ada, commands.begin, body)


@pytest.mark.parametrize(
    ("content_type", "purpose"),
    [("image/jpeg", "voice"), ("video/mp4", "voice"), ("audio/mp4", "post"), ("audio/ogg", "story")],
)
async def test_sound_is_sent_as_a_voice_note_and_nothing_else_is(
    world: World, content_type: str, purpose: e.Purpose
) -> None:
    ada = await world.person()
    body = BeginUpload(content_type=content_type, size_bytes=10, purpose=purpose)
    with pytest.raises(Invalid, match="a voice note is sound") as refused:
        await world.answer(ada, commands.begin, body)
    assert (refused.value.kind, refused.value.field) == ("unsupported-type", "content_type")


@pytest.mark.parametrize(
    ("content_type", "taken", "data"),
    [("audio/x-m4a", "audio/mp4", M4A), ("audio/mp4", "audio/mp4", MP4), ("audio/ogg; codecs=opus", "audio/ogg", OPUS)],
)
async def test_a_voice_note_asks_for_its_transcoding(world: World, content_type: str, taken: str, data: bytes) -> None:
    ada = await world.person()
    begun = await begin_voice(world, ada, content_type, len(data))
    command = await world.command(ada, commands.complete, send(world, begun, data), media_id=begun.media_id)
    (event,) = command.events
    assert isinstance(event, e.MediaTranscodingRequested)
    assert (event.content_type, event.purpose) == (taken, "voice")


@pytest.mark.parametrize(
    ("data", "kind"),
    [(JPEG, "mislabelled-type"), (OPUS, "mislabelled-type"), (b"words " * 20, "not-audio"), (bytes(40), "not-audio")],
)
async def test_a_voice_note_that_turns_out_to_be_something_else_is_deleted(
    world: World, data: bytes, kind: str
) -> None:
    ada = await world.person()
    begun = await begin_voice(world, ada, "audio/mp4", len(data))
    with pytest.raises(Invalid) as refused:
        await world.command(ada, commands.complete, send(world, begun, data), media_id=begun.media_id)
    assert refused.value.kind == kind
    assert (world.appended, world.objects.objects) == ([], {})


async def begin_voice(world: World, viewer: int, content_type: str, size_bytes: int) -> UploadBegun:
    body = BeginUpload(content_type=content_type, size_bytes=size_bytes, purpose="voice")
    begun = (await world.answer(viewer, commands.begin, body)).body
    assert isinstance(begun, UploadBegun)
    return begun


async def test_a_video_says_what_it_is_for(world: World) -> None:
    ada, digest = await world.person(), "0a" * 32
    body = BeginUpload(content_type="video/mp4", size_bytes=len(MP4), purpose="reel", sha256=digest)
    begun = (await world.answer(ada, commands.begin, body)).body
    command = await world.command(ada, commands.complete, send(world, begun, MP4), media_id=begun.media_id)
    (event,) = command.events
    assert isinstance(event, e.MediaTranscodingRequested)
    assert (event.content_type, event.purpose, event.sha256) == ("video/mp4", "reel", digest)


async def test_what_arrived_is_not_asked_for_again(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, 2 * PART_BYTES + 1, "holiday")
    etag = world.objects.put_part(begun.parts[1].url, b"\0" * PART_BYTES)
    world.objects.put_part(begun.parts[2].url, b"too long")
    again = await begin(world, ada, 2 * PART_BYTES + 1, "holiday")
    assert [part.number for part in again.parts] == [1, 3]
    assert [(part.number, part.etag, part.size_bytes) for part in again.arrived] == [(2, etag, PART_BYTES)]
    assert again.media_id == begun.media_id


async def test_an_upload_whose_parts_cannot_be_listed_is_sent_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    first = await begin(world, ada, len(JPEG), "holiday")

    async def refused(key: str, upload_id: str) -> list[UploadPart]:
        raise ObjectRefused("400")

    with monkeypatch.context() as broken:
        broken.setattr(world.objects, "list_parts", refused)
        again = await begin(world, ada, len(JPEG), "holiday")
    assert (again.media_id, again.arrived) == (first.media_id, [])
    assert again.parts[0].url != first.parts[0].url
    assert len(world.objects.uploads) == 1, "the parts of before are freed"
    body = send(world, again, JPEG)
    assert (await world.command(ada, commands.complete, body, media_id=again.media_id)).events


async def test_an_upload_of_yesterday_has_expired(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG), "holiday")
    body = send(world, begun, JPEG)
    world.now_ms += UNFINISHED_MS_MAX + 1
    for asked in (
        begin(world, ada, len(JPEG), "holiday"),
        world.command(ada, commands.complete, body, media_id=begun.media_id),
    ):
        with pytest.raises(Conflict) as refused:
            await asked
        assert refused.value.kind == "upload-expired"


async def test_a_part_that_changed_on_its_way_is_named_and_may_be_sent_again(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    etag, digests = world.objects.put_part(begun.parts[0].url, JPEG), ["0" * 32, "f" * 32]
    world.objects.etags[etag] = f'"{digests[0].upper()}"'
    parts = [FinishedPart(number=1, etag=world.objects.etags[etag], md5=digests[1])]
    with pytest.raises(Invalid) as refused:
        await world.command(ada, commands.complete, CompleteUpload(parts=parts), media_id=begun.media_id)
    assert refused.value.kind == "damaged-part"
    parts = [FinishedPart(number=1, etag=world.objects.etags[etag], md5=digests[0])]
    assert (await world.command(ada, commands.complete, CompleteUpload(parts=parts), media_id=begun.media_id)).events


async def test_whoever_waits_is_told_as_soon_as_it_is_decoded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_watch, "LOOK_SECONDS", 0.01)
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    await world.command(ada, commands.complete, send(world, begun, JPEG), media_id=begun.media_id)
    asked = [asyncio.create_task(state_of(world, ada, begun.media_id, wait=30)) for _ in range(3)]
    impatient = await asyncio.wait_for(state_of(world, ada, begun.media_id, wait=1), 5)
    assert impatient.state == "processing"
    variant = e.MediaVariant(
        name="w320.jpeg", content_type="image/jpeg", width=320, height=240, size_bytes=9, object_key="processed/1/x"
    )
    done = e.MediaTranscodingCompleted(
        media_id=int(begun.media_id), owner_id=ada, width=640, height=480, variants=[variant]
    )
    await world.happen(done)
    for status in await asyncio.wait_for(asyncio.gather(*asked), 5):
        assert status.state == "ready"
        assert [(one.name, one.size_bytes) for one in status.variants] == [("w320.jpeg", 9)]
    assert world.services.watch.watchers == 0


async def test_a_completed_upload_asks_for_its_transcoding(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    command = await world.command(ada, commands.complete, send(world, begun, JPEG), media_id=begun.media_id)
    media_id = int(begun.media_id)
    assert command.events == (
        e.MediaTranscodingRequested(
            media_id=media_id,
            owner_id=ada,
            object_key=f"raw/{ada}/{media_id}",
            content_type="image/jpeg",
            size_bytes=len(JPEG),
            purpose="post",
            sha256=None,
        ),
    )
    assert world.objects.objects[f"raw/{ada}/{media_id}"][0] == JPEG


async def test_completing_twice_is_one_event(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    first = await world.command(ada, commands.complete, body, media_id=begun.media_id)
    second = await world.command(ada, commands.complete, body, media_id=begun.media_id)
    assert (first.events, first.event_ids, first.answer) == (second.events, second.event_ids, second.answer)
    assert len(first.event_ids) == 1


async def test_nothing_is_asked_for_once_the_worker_answered(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    await world.command(ada, commands.complete, body, media_id=begun.media_id)
    media_id = int(begun.media_id)
    await world.happen(e.MediaTranscodingFailed(media_id=media_id, owner_id=ada, reason="damaged-image", detail="d"))
    assert (await world.command(ada, commands.complete, body, media_id=begun.media_id)).events == ()


async def test_the_same_name_is_the_same_upload_for_its_owner_alone(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    first, again = await begin(world, ada, 10, "holiday"), await begin(world, ada, 10, "holiday")
    assert first == again
    assert (await begin(world, ben, 10, "holiday")).media_id != first.media_id
    assert len(world.objects.uploads) == 2
    with pytest.raises(Conflict) as refused:
        await begin(world, ada, 11, "holiday")
    assert refused.value.kind == "upload-differs"


async def test_an_idempotency_key_names_the_upload_where_its_client_does_not(world: World) -> None:
    ada = await world.person()
    body = BeginUpload(content_type="image/jpeg", size_bytes=10)
    begun = []
    for key in ("one", "one", "two"):
        world.headers = {"idempotency-key": key}
        begun.append((await world.answer(ada, commands.begin, body)).body.media_id)
    world.headers = {}
    assert begun[0] == begun[1] != begun[2]
    named = BeginUpload(content_type="image/jpeg", size_bytes=10, client_upload_id="one")
    assert (await world.answer(ada, commands.begin, named)).body.media_id != begun[0]


async def test_a_completed_upload_begun_again_needs_no_parts(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG), "holiday")
    await world.command(ada, commands.complete, send(world, begun, JPEG), media_id=begun.media_id)
    again = await begin(world, ada, len(JPEG), "holiday")
    assert (again.media_id, again.state, again.parts) == (begun.media_id, "processing", [])


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"GIF89a" + b"\0" * 94, "not-an-image"), (PNG, "mislabelled-type"), (b"<html>" + b"\0" * 94, "not-an-image")],
)
async def test_what_turns_out_to_be_something_else_is_deleted(world: World, data: bytes, kind: str) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(data))
    body = send(world, begun, data)
    with pytest.raises(Invalid) as refused:
        await world.command(ada, commands.complete, body, media_id=begun.media_id)
    assert refused.value.kind == kind
    assert world.appended == []
    assert not world.objects.objects
    with pytest.raises(NotFound):
        await state_of(world, ada, begun.media_id)


@pytest.mark.parametrize("data", [JPEG[:-1], JPEG + b"\0"])
async def test_parts_of_another_length_are_never_joined(world: World, data: bytes) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    etag = world.objects.put_part(begun.parts[0].url, data)
    body = CompleteUpload(parts=[FinishedPart(number=1, etag=etag)])
    with pytest.raises(Invalid) as refused:
        await world.command(ada, commands.complete, body, media_id=begun.media_id)
    assert refused.value.kind == "size-mismatch"
    assert not world.objects.objects
    assert not world.objects.uploads
    assert world.appended == []


async def test_every_part_must_have_arrived_as_named(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, PART_BYTES + 1)
    etag = world.objects.put_part(begun.parts[0].url, b"\0" * PART_BYTES)
    first, second = FinishedPart(number=1, etag=etag), FinishedPart(number=2, etag='"made-up"')
    for parts, kind in (
        ([first], "wrong-parts"),
        ([first, first], "wrong-parts"),
        ([first, second, second], "wrong-parts"),
        ([first, second], "missing-part"),
    ):
        with pytest.raises(Invalid) as refused:
            await world.command(ada, commands.complete, CompleteUpload(parts=parts), media_id=begun.media_id)
        assert refused.value.kind == kind
    assert (await state_of(world, ada, begun.media_id)).state == "uploading"


async def test_a_completion_that_broke_off_after_joining_goes_on(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    (upload_id,) = world.objects.uploads
    parts = await world.objects.list_parts("", upload_id)
    await world.objects.complete_upload(f"raw/{ada}/{begun.media_id}", upload_id, parts)
    assert (await world.command(ada, commands.complete, body, media_id=begun.media_id)).events


async def test_an_upload_that_the_store_forgot_is_a_conflict(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    world.objects.uploads.clear()
    with pytest.raises(Conflict) as refused:
        await world.command(ada, commands.complete, body, media_id=begun.media_id)
    assert refused.value.kind == "upload-expired"


async def test_someone_elses_upload_is_not_there(world: World) -> None:
    ada, eve = await world.person(), await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    with pytest.raises(NotFound):
        await world.command(eve, commands.complete, body, media_id=begun.media_id)
    for asked in (
        state_of(world, eve, begun.media_id),
        world.answer(eve, commands.give_up, media_id=begun.media_id),
    ):
        with pytest.raises(NotFound):
            await asked
    await world.photograph(ada)
    assert world.appended == []


async def test_giving_up_frees_the_parts_once_and_for_all(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    assert (await world.answer(ada, commands.give_up, media_id=begun.media_id)).status == 204
    assert not world.objects.uploads
    with pytest.raises(NotFound):
        await world.command(ada, commands.complete, body, media_id=begun.media_id)


async def test_a_completed_upload_cannot_be_given_up(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    await world.command(ada, commands.complete, send(world, begun, JPEG), media_id=begun.media_id)
    with pytest.raises(Conflict):
        await world.answer(ada, commands.give_up, media_id=begun.media_id)
    assert world.objects.objects


async def test_an_upload_tells_how_far_it_is(world: World) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    seen = [(await state_of(world, ada, begun.media_id)).state]
    await world.command(ada, commands.complete, send(world, begun, JPEG), media_id=begun.media_id)
    seen.append((await state_of(world, ada, begun.media_id)).state)
    media_id = int(begun.media_id)
    await world.happen(e.MediaTranscodingCompleted(media_id=media_id, owner_id=ada, width=640, height=480, variants=[]))
    ready = await state_of(world, ada, begun.media_id)
    assert [*seen, ready.state] == ["uploading", "processing", "ready"]
    assert (ready.width, ready.height) == (640, 480)


async def test_a_failed_photograph_says_why(world: World) -> None:
    ada = await world.person()
    media_id = world.services.ids.next()
    await world.happen(e.MediaTranscodingFailed(media_id=media_id, owner_id=ada, reason="damaged-image", detail="Cut."))
    body = await state_of(world, ada, str(media_id))
    assert (body.state, body.reason, body.detail) == ("failed", "damaged-image", "Cut.")
