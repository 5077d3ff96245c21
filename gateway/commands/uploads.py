"""Uploads: presigned addresses for parts, and the check that a finished upload is what it was said to be.

The gateway never carries a photograph's bytes. Beginning an upload changes nothing in the log; completing it asks
for the transcoding.
"""

import re
from collections.abc import Sequence
from typing import Annotated
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
import structlog

from gateway.accepted_media import accepted
from gateway.endpoint import Answer, Body, Call, Command, Endpoint
from gateway.joining import discard, inspect, join, part_sizes
from gateway.services import Services
from gateway.vault.port import UploadRow
from gateway.visibility import nothing_here
from photolog.engines.object_store import ObjectAbsent, ObjectRefused, UploadPart
from photolog.errors import Conflict, Invalid
from photolog.media.originals import UNFINISHED_MS_MAX, raw_key
from projections.media import MEDIA
from schemas.events import MediaTranscodingRequested, Purpose

PARTS_MAX = 100
logger = structlog.get_logger(__name__)
_MD5 = re.compile("[0-9a-f]{32}")


class BeginUpload(Body, frozen=True, kw_only=True):
    """What is going to be uploaded, and the SHA-256 of all its bytes where the client tells it.

    The same `client_upload_id` gives the same upload again: the parts that arrived, fresh addresses of the others.
    Sound is a `voice` note, which no post takes, and nothing else is.
    """

    content_type: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    size_bytes: Annotated[int, msgspec.Meta(ge=1)]
    client_upload_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    purpose: Purpose = "post"
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None


class PartAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where one part is PUT to; its bytes are the next `size_bytes` of the file."""

    number: int
    size_bytes: int
    url: str


class ArrivedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that the bucket has already."""

    number: int
    size_bytes: int
    etag: str


class UploadBegun(msgspec.Struct, frozen=True, kw_only=True):
    """An upload: the parts that are still to be sent, and those that arrived."""

    media_id: str
    state: str
    expires_in_seconds: int
    parts: list[PartAddress]
    arrived: list[ArrivedPart] = []


class FinishedPart(Body, frozen=True, kw_only=True):
    """A part, with the ETag that S3 answered its PUT with, and the MD5 of what was sent where the client tells it."""

    number: Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)]
    etag: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    md5: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")] | None = None


class CompleteUpload(Body, frozen=True, kw_only=True):
    parts: Annotated[list[FinishedPart], msgspec.Meta(min_length=1, max_length=PARTS_MAX)]


class UploadCompleted(msgspec.Struct, frozen=True, kw_only=True):
    media_id: str
    state: str = "processing"


async def begin(services: Services, call: Call) -> Answer:
    """Begin an upload, or find the one that was begun under the same name."""
    body: BeginUpload = call.body
    kind = accepted(body.content_type, body.purpose, body.size_bytes, services.settings.limits)
    media_id = services.ids.next()
    wanted = UploadRow(
        media_id=media_id,
        owner_id=call.viewer,
        client_upload_id=_client_name(call, body),
        upload_id="",
        object_key=raw_key(call.viewer, media_id),
        content_type=kind.value,
        size_bytes=body.size_bytes,
        state="open",
        created_ms=services.clock_ms(),
        purpose=body.purpose,
        sha256=body.sha256,
    )
    row = await services.vault.uploads.create(wanted)
    if _differ(row, wanted):
        raise Conflict("upload-differs", "this client_upload_id names an upload of another file", "client_upload_id")
    if row.state == "aborted":
        raise Conflict("upload-aborted", "this upload was given up; begin another", "client_upload_id")
    if row.state != "open":
        return Answer(_begun(services, row, []), status=201)
    _require_fresh(services, row)
    row = await _attached(services, row)
    arrived = await _arrived(services, row)
    if arrived is None:
        row, arrived = await _attached_anew(services, row), []
    return Answer(_begun(services, row, arrived), status=201)


async def complete(services: Services, call: Call) -> Command:
    """Join the parts, look at what they are, and ask for the transcoding. Doing it again asks for the same."""
    row = await own_upload(services, call)
    if row.state == "open":
        _require_fresh(services, row)
        _require_undamaged(call.body.parts)
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
        purpose=row.purpose,
        sha256=row.sha256,
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


def _differ(row: UploadRow, wanted: UploadRow) -> bool:
    """Whether one name stands for two files, which is a mistake. A digest that nobody told may be any."""
    digests = {row.sha256, wanted.sha256} - {None}
    same = (row.content_type, row.size_bytes, row.purpose) == (wanted.content_type, wanted.size_bytes, wanted.purpose)
    return not same or len(digests) > 1


def _require_fresh(services: Services, row: UploadRow) -> None:
    """Raises Conflict for an upload whose time is over; its parts are freed, or will be."""
    if services.clock_ms() - row.created_ms > UNFINISHED_MS_MAX:
        raise Conflict("upload-expired", "this upload was begun a day ago; begin another")


def _require_undamaged(parts: Sequence[FinishedPart]) -> None:
    """Raises Invalid for a part whose bytes changed on their way: the ETag of a part is the MD5 of what arrived.

    Where the bucket encrypts with keys of its own it is not; what the client says of its MD5 then says nothing.
    """
    for part in parts:
        arrived = part.etag.strip('"').lower()
        if part.md5 is not None and _MD5.fullmatch(arrived) and arrived != part.md5:
            raise Invalid("damaged-part", f"part {part.number} is not what was sent; send it again", "parts")


async def _arrived(services: Services, row: UploadRow) -> list[ArrivedPart] | None:
    """The parts that are there and whole; None where the bucket cannot tell: s3proxy never lists the parts of an upload
    again one of which broke off."""
    sizes = dict(enumerate(part_sizes(row.size_bytes), start=1))
    try:
        there = await services.objects.list_parts(row.object_key, row.upload_id)
    except ObjectAbsent:
        return []  # joined, or freed, by another request at this moment
    except ObjectRefused as error:
        logger.warning("parts-not-listed", media_id=row.media_id, cause=str(error))
        return None
    return [
        ArrivedPart(number=part.number, size_bytes=part.size_bytes, etag=part.etag)
        for part in there
        if part.size_bytes is not None and part.size_bytes == sizes.get(part.number)
    ]


def _client_name(call: Call, body: BeginUpload) -> str | None:
    """The client's name for the upload; its Idempotency-Key serves as well, in a name space of its own."""
    if body.client_upload_id is not None:
        return f"id:{body.client_upload_id}"
    key = call.headers.get("idempotency-key")
    return f"key:{key}" if key else None


async def _attached(services: Services, row: UploadRow) -> UploadRow:
    """The upload with S3's id."""
    return row if row.upload_id else await _attached_anew(services, row)


async def _attached_anew(services: Services, row: UploadRow) -> UploadRow:
    """The upload with a new id of S3's, under which nothing has arrived yet. Two requests that do it at once end with
    the same one."""
    upload_id = await services.objects.create_upload(row.object_key, row.content_type)
    if await services.vault.uploads.attach(row.media_id, upload_id, instead_of=row.upload_id):
        if row.upload_id:
            await services.objects.abort_upload(row.object_key, row.upload_id)
        return msgspec.structs.replace(row, upload_id=upload_id)
    await services.objects.abort_upload(row.object_key, upload_id)
    return await services.vault.uploads.get(row.media_id) or row


def _begun(services: Services, row: UploadRow, arrived: list[ArrivedPart]) -> UploadBegun:
    sizes = part_sizes(row.size_bytes) if row.state == "open" else []
    there = {part.number for part in arrived}
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
            if number not in there
        ],
        arrived=arrived,
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
