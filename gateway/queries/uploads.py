"""How far an upload is."""

from typing import Literal

import msgspec

from gateway.commands.uploads import own_upload
from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.visibility import nothing_here
from projections.media import MEDIA


class UploadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An upload; `reason` is a stable slug and `detail` a sentence where it failed, sizes are in pixels once ready."""

    media_id: str
    state: Literal["uploading", "processing", "ready", "failed"]
    reason: str | None = None
    detail: str | None = None
    width: int | None = None
    height: int | None = None


async def upload(services: Services, call: Call) -> Answer:
    """The viewer's own upload. What the worker answered outlives the upload's own row."""
    media_id = call.id("media_id")
    media = await services.rows.get(MEDIA.key(media_id))
    if media is None:
        row = await own_upload(services, call)
        return Answer(UploadStatus(media_id=str(media_id), state="uploading" if row.state == "open" else "processing"))
    if media.owner_id != call.viewer:
        raise nothing_here()
    if media.status == "failed":
        return Answer(UploadStatus(media_id=str(media_id), state="failed", reason=media.reason, detail=media.detail))
    return Answer(UploadStatus(media_id=str(media_id), state="ready", width=media.width, height=media.height))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/uploads/{media_id}",
        upload,
        "How far an upload is",
        "uploads",
        response=UploadStatus,
        models=("media",),
    ),
)
