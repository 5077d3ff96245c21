"""Uploads against a real object store and the real worker."""

import httpx
import pytest

from photolog.client import views
from photolog.client.media import content_type_of
from photolog.errors import Conflict, Forbidden, Invalid, NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, jpeg, settles

PART_BYTES = 5 * 1024 * 1024


async def state_of(person: Person, media_id: str) -> str:
    return (await person.client.upload_state(media_id)).state


async def begin(person: Person, data: bytes, kind: str = "image/jpeg", **more: str) -> views.UploadBegun:
    body = {"content_type": kind, "size_bytes": len(data), **more}
    return await person.client.transport.command("POST", "/v1/uploads", views.UploadBegun, body)


async def complete(person: Person, media_id: str, etags: list[str]) -> None:
    parts = [{"number": number, "etag": etag} for number, etag in enumerate(etags, start=1)]
    await person.client.transport.command("POST", f"/v1/uploads/{media_id}/complete", dict, {"parts": parts})


async def test_a_photograph_of_several_parts_becomes_ready(join: Joining) -> None:
    ada = await join("ada")
    # Bytes behind the end of a JPEG are no part of the picture, but have to be carried.
    data = jpeg(1_200, 800) + b"\0" * (2 * PART_BYTES)
    seen: list[int] = []
    media_id = await ada.client.upload(data, "image/jpeg", progress=lambda sent, whole: seen.append(sent))
    assert len(seen) == 3
    assert max(seen) == len(data)
    await settles(lambda: state_of(ada, media_id), "ready")
    upload = await ada.client.upload_state(media_id)
    assert (upload.width, upload.height) == (1_200, 800)


async def test_what_cannot_be_decoded_fails_with_a_reason(join: Joining) -> None:
    ada = await join("ada")
    data = jpeg()
    media_id = await ada.client.upload(data[: len(data) // 2], "image/jpeg")
    await settles(lambda: state_of(ada, media_id), "failed")
    assert (await ada.client.upload_state(media_id)).reason == "damaged-image"
    with pytest.raises(Invalid) as refused:
        await ada.client.post([media_id])
    assert refused.value.kind == "failed-media"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<html>no picture</html>" * 9, "not-an-image"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 99, "mislabelled-type"),
    ],
)
async def test_what_is_something_else_is_refused_and_gone(join: Joining, data: bytes, kind: str) -> None:
    ada = await join("ada")
    begun = await begin(ada, data)
    async with httpx.AsyncClient() as store:
        etag = (await store.put(begun.parts[0].url, content=data)).headers["etag"]
    with pytest.raises(Invalid) as refused:
        await complete(ada, begun.media_id, [etag])
    assert refused.value.kind == kind
    with pytest.raises(NotFound):
        await ada.client.upload_state(begun.media_id)


async def test_more_bytes_than_declared_are_refused(join: Joining) -> None:
    ada = await join("ada")
    data = jpeg()
    begun = await begin(ada, data[:-10])
    async with httpx.AsyncClient() as store:
        etag = (await store.put(begun.parts[0].url, content=data)).headers["etag"]
    with pytest.raises(Invalid) as refused:
        await complete(ada, begun.media_id, [etag])
    assert refused.value.kind == "size-mismatch"


async def test_a_part_that_never_came_is_named(join: Joining) -> None:
    ada = await join("ada")
    begun = await begin(ada, jpeg())
    with pytest.raises(Invalid) as refused:
        await complete(ada, begun.media_id, ["made-up"])
    assert (refused.value.kind, refused.value.field) == ("missing-part", "parts")
    assert await state_of(ada, begun.media_id) == "uploading"


async def test_completing_twice_gives_the_same_answer(join: Joining) -> None:
    ada = await join("ada")
    data = jpeg()
    begun = await begin(ada, data)
    async with httpx.AsyncClient() as store:
        etag = (await store.put(begun.parts[0].url, content=data)).headers["etag"]
    for _ in range(2):
        await complete(ada, begun.media_id, [etag])
    await settles(lambda: state_of(ada, begun.media_id), "ready")
    await complete(ada, begun.media_id, [etag])


async def test_the_same_name_goes_on_with_the_same_upload(join: Joining) -> None:
    ada = await join("ada")
    data = jpeg()
    first, again = await begin(ada, data, client_upload_id="x"), await begin(ada, data, client_upload_id="x")
    assert first.media_id == again.media_id
    with pytest.raises(Conflict):
        await begin(ada, data + b"\0", client_upload_id="x")
    assert await ada.client.upload(data, "image/jpeg", client_upload_id="x") == first.media_id


async def test_someone_elses_upload_is_not_there(join: Joining) -> None:
    ada, eve = await join("ada"), await join("eve")
    begun = await begin(ada, jpeg())
    with pytest.raises(NotFound):
        await eve.client.upload_state(begun.media_id)
    with pytest.raises(NotFound):
        await complete(eve, begun.media_id, ["x"])
    with pytest.raises((NotFound, Forbidden)):
        await eve.client.photograph_address(begun.media_id, "w640.jpeg")


async def test_a_tampered_address_is_refused_by_the_store(join: Joining) -> None:
    ada = await join("ada")
    begun = await begin(ada, jpeg())
    async with httpx.AsyncClient() as store:
        answer = await store.put(begun.parts[0].url.replace("partNumber=1", "partNumber=2"), content=b"x")
    assert answer.status_code == 403


def test_a_file_name_tells_its_type() -> None:
    with pytest.raises(Invalid):
        content_type_of(b"bytes tell nothing")
