"""Joining an upload's parts, and looking at what came of them before anything else does."""

from collections.abc import Sequence
from typing import NoReturn

from gateway.accepted_media import detected
from gateway.services import Services
from gateway.vault.port import UploadRow
from photolog.engines.object_store import ObjectAbsent, ObjectRefused, UploadPart
from photolog.errors import Conflict, Invalid, StoreUnavailable
from transcode.sniff import HEAD_BYTES, declared_video

PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes for any part but the last


def part_sizes(size_bytes: int) -> list[int]:
    """The sizes of a file's parts, in order: all `PART_BYTES` but the last."""
    return [min(PART_BYTES, size_bytes - start) for start in range(0, size_bytes, PART_BYTES)]


async def join(services: Services, row: UploadRow, given: Sequence[UploadPart]) -> None:
    """Make the object of its parts; nothing is to be done where another attempt came as far.

    Args:
        services: the gateway's.
        row: the upload, open.
        given: every part, as the client says that it arrived.

    Raises:
        Invalid: the parts are not those that were asked for.
        Conflict: the object store knows of no such upload any more.
        StoreUnavailable: it cannot join them at the moment.
    """
    if await services.objects.head(row.object_key):
        return
    try:
        await _join(services, row, given)
    except ObjectAbsent as error:
        if await services.objects.head(row.object_key) is None:
            raise Conflict("upload-expired", "this upload is not there any more; begin another") from error
    except ObjectRefused as error:
        if await services.objects.head(row.object_key) is None:
            raise StoreUnavailable(f"the parts cannot be joined: {error}") from error


async def inspect(services: Services, row: UploadRow) -> None:
    """Compare the object with what was declared.

    Raises:
        Invalid: it is something else, and is deleted.
    """
    head = await services.objects.head(row.object_key)
    if head is None or head.size_bytes != row.size_bytes:
        await _refuse(services, row, "size-mismatch", "the file is not as long as was declared")
    found = detected(await services.objects.read_range(row.object_key, 0, min(HEAD_BYTES, row.size_bytes)), row.purpose)
    if found is None:
        await _refuse(services, row, *_nothing_we_take(row))
    if found != row.content_type:
        await _refuse(services, row, "mislabelled-type", f"the file is {found}, not {row.content_type}")


async def discard(services: Services, row: UploadRow) -> None:
    """Free whatever the object store holds of an upload."""
    await services.objects.abort_upload(row.object_key, row.upload_id)
    await services.objects.delete(row.object_key)


async def _join(services: Services, row: UploadRow, given: Sequence[UploadPart]) -> None:
    arrived = {part.number: part for part in await services.objects.list_parts(row.object_key, row.upload_id)}
    expected = part_sizes(row.size_bytes)
    etags = {part.number: part.etag.strip('"') for part in given}
    if len(etags) != len(given) or sorted(etags) != list(range(1, len(expected) + 1)):
        raise Invalid("wrong-parts", f"name each of the {len(expected)} parts once", "parts")
    for number, etag in etags.items():
        if number not in arrived or arrived[number].etag.strip('"') != etag:
            raise Invalid("missing-part", f"part {number} did not arrive under this ETag", "parts")
    parts = [arrived[number] for number in sorted(etags)]
    if [part.size_bytes for part in parts] != expected:
        await _refuse(services, row, "size-mismatch", "the parts are not as long as was declared")
    await services.objects.complete_upload(row.object_key, row.upload_id, parts)


def _nothing_we_take(row: UploadRow) -> tuple[str, str]:
    if row.purpose == "voice":
        return "not-audio", "the file is not an MP4, Ogg, WebM or MP3 recording"
    if declared_video(row.content_type):
        return "not-a-video", "the file is not an MP4 or MOV video"
    return "not-an-image", "the file is not a JPEG, PNG or HEIC image"


async def _refuse(services: Services, row: UploadRow, kind: str, detail: str) -> NoReturn:
    """Give the upload up and say why."""
    if await services.vault.uploads.move(row.media_id, "open", "aborted"):
        await discard(services, row)
    raise Invalid(kind, detail)
