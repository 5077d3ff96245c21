"""Uploads: presigned addresses for parts, and the check that a finished upload is what it was said to be.

The gateway never carries a photograph's bytes. Beginning an upload changes nothing in the log; completing it asks
for the transcoding.
"""

from typing import Annotated
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from gateway.endpoint import Answer, Body, Call, Command, Endpoint
from gateway.joining import discard, inspect, join, part_sizes
from gateway.services import Services
from gateway.vault.port import UploadRow
from gateway.visibility import nothing_here
from photolog.engines.object_store import UploadPart
from photolog.errors import Conflict, Invalid
from projections.media import MEDIA
from schemas.events import MediaTranscodingRequested
from transcode.sniff import PhotoType, declared_type

PARTS_MAX = 100


class BeginUpload(Body, frozen=True, kw_only=True):
    """What is going to be uploaded. The same `client_upload_id` gives the same upload again, with fresh addresses."""

    content_type: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    size_bytes: Annotated[int, msgspec.Meta(ge=1)]
    client_upload_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class PartAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where one part is PUT to; its bytes are the next `size_bytes` of the file."""

    number: int
    size_bytes: int
    url: str


class UploadBegun(msgspec.Struct, frozen=True, kw_only=True):
    media_id: str
    state: str
    expires_in_seconds: int
    parts: list[PartAddress]


class FinishedPart(Body, frozen=True, kw_only=True):
    """A part, with the ETag that S3 answered its PUT with."""

    number: Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)]
    etag: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class CompleteUpload(Body, frozen=True, kw_only=True):
    parts: Annotated[list[FinishedPart], msgspec.Meta(min_length=1, max_length=PARTS_MAX)]


class UploadCompleted(msgspec.Struct, frozen=True, kw_only=True):
    media_id: str
    state: str = "processing"


async def begin(services: Services, call: Call) -> Answer:
    """Begin an upload, or find the one that was begun under the same name."""
    body: BeginUpload = call.body
    kind = _accepted(body, services.settings.limits.photo_bytes_max)
    media_id = services.ids.next()
    wanted = UploadRow(
        media_id=media_id,
        owner_id=call.viewer,
        client_upload_id=_client_name(call, body),
        upload_id="",
        object_key=f"raw/{call.viewer}/{media_id}",
        content_type=kind.value,
        size_bytes=body.size_bytes,
        state="open",
        created_ms=services.clock_ms(),
    )
    row = await services.vault.uploads.create(wanted)
    if (row.content_type, row.size_bytes) != (wanted.content_type, wanted.size_bytes):
        raise Conflict("upload-differs", "this client_upload_id names an upload of another file", "client_upload_id")
    if row.state == "aborted":
        raise Conflict("upload-aborted", "this upload was given up; begin another", "client_upload_id")
    row = await _attached(services, row) if row.state == "open" else row
    return Answer(_begun(services, row), status=201)


async def complete(services: Services, call: Call) -> Command:
    """Join the parts, look at what they are, and ask for the transcoding. Doing it again asks for the same."""
    row = await own_upload(services, call)
    if row.state == "open":
        await join(services, row, [UploadPart(part.number, part.etag) for part in call.body.parts])
        await inspect(services, row)
        if not await services.vault.uploads.move(row.media_id, "open", "completed"):
            row = await own_upload(services, call)  # given up, or completed, by another request meanwhile
    answer = UploadCompleted(media_id=str(row.media_id))
    if await services.rows.get(MEDIA.key(row.media_id)):
        return Command((), answer)
    event = MediaTranscodingRequested(
        media_id=row.media_id,
        owner_id=row.owner_id,
        object_key=row.object_key,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
    )
    return Command((event,), answer, event_ids=(transcoding_event_id(row.media_id),))


async def give_up(services: Services, call: Call) -> Answer:
    """Free what was uploaded so far. A completed upload stays."""
    row = await own_upload(services, call)
    if row.state == "completed" or not await services.vault.uploads.move(row.media_id, "open", "aborted"):
        raise Conflict("upload-complete", "this upload is complete")
    await discard(services, row)
    return Answer(status=204)


async def own_upload(services: Services, call: Call) -> UploadRow:
    """The upload in the path, if it is the viewer's and not given up. Raises NotFound otherwise."""
    row = await services.vault.uploads.get(call.id("media_id"))
    if row is None or row.owner_id != call.viewer or row.state == "aborted":
        raise nothing_here()
    return row


def transcoding_event_id(media_id: int) -> UUID:
    """The id of the one request to transcode a photograph, so that asking again is the same event."""
    return uuid5(NAMESPACE_OID, f"photolog/{MediaTranscodingRequested.type}/{media_id}")


def _accepted(body: BeginUpload, size_bytes_max: int) -> PhotoType:
    kind = declared_type(body.content_type)
    if kind is None:
        raise Invalid("unsupported-type", "a photograph is image/jpeg, image/png or image/heic", "content_type")
    if body.size_bytes > size_bytes_max:
        raise Invalid("file-too-large", f"a photograph has at most {size_bytes_max} bytes", "size_bytes")
    return kind


def _client_name(call: Call, body: BeginUpload) -> str | None:
    """The client's name for the upload; its Idempotency-Key serves as well, in a name space of its own."""
    if body.client_upload_id is not None:
        return f"id:{body.client_upload_id}"
    key = call.headers.get("idempotency-key")
    return f"key:{key}" if key else None


async def _attached(services: Services, row: UploadRow) -> UploadRow:
    """The upload with S3's id. Two requests that begin at once end with the same one."""
    if row.upload_id:
        return row
    upload_id = await services.objects.create_upload(row.object_key, row.content_type)
    if await services.vault.uploads.attach(row.media_id, upload_id):
        return msgspec.structs.replace(row, upload_id=upload_id)
    await services.objects.abort_upload(row.object_key, upload_id)
    return await services.vault.uploads.get(row.media_id) or row


def _begun(services: Services, row: UploadRow) -> UploadBegun:
    sizes = part_sizes(row.size_bytes) if row.state == "open" else []
    return UploadBegun(
        media_id=str(row.media_id),
        state="uploading" if row.state == "open" else "processing",
        expires_in_seconds=services.settings.s3.presign_seconds,
        parts=[
            PartAddress(
                number=number,
                size_bytes=size,
                url=services.objects.presign_part(row.object_key, row.upload_id, number),
            )
            for number, size in enumerate(sizes, start=1)
        ],
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/uploads",
        begin,
        "Begin an upload",
        "uploads",
        body=BeginUpload,
        response=UploadBegun,
        status=201,
        rate="upload",
    ),
    Endpoint(
        "POST",
        "/v1/uploads/{media_id}/complete",
        complete,
        "Complete an upload",
        "uploads",
        body=CompleteUpload,
        response=UploadCompleted,
        rate="upload",
    ),
    Endpoint("DELETE", "/v1/uploads/{media_id}", give_up, "Give an upload up", "uploads", status=204, rate="upload"),
)
