"""How far an upload is, told at once or once it is decoded."""

from typing import Annotated, Literal

import msgspec

from gateway.commands.uploads import own_upload
from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.visibility import nothing_here
from projections.media import MEDIA, MediaRow, Moderation, stored_files
from schemas.events import MediaKind

WAIT_SECONDS_MAX = 30


class UploadQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`wait`: how many seconds the answer may take, while the upload is being decoded."""

    wait: Annotated[int, msgspec.Meta(ge=0, le=WAIT_SECONDS_MAX)] = 0


class StoredVariant(msgspec.Struct, frozen=True, kw_only=True):
    """One of the files that were made of an upload; `GET /v1/media/{media_id}/{name}` leads to it."""

    name: str
    content_type: str
    width: int
    height: int
    size_bytes: int


class UploadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An upload; `reason` is a stable slug and `detail` a sentence where it failed.

    Sizes are in pixels once it is ready, 0 for a voice note, whose files are `voice.m4a` and `waveform.json`.
    `moderation` tells whether it may be published: not while it is `pending` or in `review`. What no post held for long
    is `collected`, and is to be uploaded again.
    """

    media_id: str
    state: Literal["uploading", "processing", "ready", "failed", "collected"]
    reason: str | None = None
    detail: str | None = None
    width: int | None = None
    height: int | None = None
    kind: MediaKind = "photo"
    duration_ms: int = 0
    blurhash: str | None = None
    variants: list[StoredVariant] = []
    moderation: Moderation = "none"


async def upload(services: Services, call: Call) -> Answer:
    """The viewer's own upload. What the worker answered outlives the upload's own row."""
    media_id = call.id("media_id")
    media = await services.rows.get(MEDIA.key(media_id))
    if media is None:
        row = await own_upload(services, call)
        if row.state == "open":
            return Answer(UploadStatus(media_id=str(media_id), state="uploading"))
        media = await services.watch.answered(media_id, call.query.wait)
    if media is None:
        return Answer(UploadStatus(media_id=str(media_id), state="processing"))
    if media.owner_id != call.viewer:
        raise nothing_here()
    return Answer(_answered(media))


def _answered(media: MediaRow) -> UploadStatus:
    media_id = str(media.media_id)
    if media.status == "failed":
        return UploadStatus(media_id=media_id, state="failed", reason=media.reason, detail=media.detail)
    if media.status != "ready":
        return UploadStatus(media_id=media_id, state="collected")
    variants = [
        StoredVariant(
            name=one.name,
            content_type=one.content_type,
            width=one.width,
            height=one.height,
            size_bytes=one.size_bytes,
        )
        for one in stored_files(media)
    ]
    return UploadStatus(
        media_id=media_id,
        state="ready",
        width=media.width,
        height=media.height,
        kind=media.kind,
        duration_ms=media.duration_ms,
        blurhash=media.blurhash,
        variants=variants,
        moderation=media.moderation,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/uploads/{media_id}",
        upload,
        "How far an upload is",
        "uploads",
        query=UploadQuery,
        response=UploadStatus,
        models=("media",),
        waits_seconds=WAIT_SECONDS_MAX,
    ),
)
