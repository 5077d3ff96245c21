"""Whether media may become part of something: the uploader's own, complete, not refused, and made for that."""

from collections.abc import Callable

from gateway.endpoint import parse_id
from gateway.services import Services
from photolog.errors import Invalid, NotFound
from projections.media import MEDIA
from schemas.events import Purpose

Demand = Callable[[Purpose, str], None]
"""Refuses what an upload was made for, at a field, by raising Invalid."""


def media_id_in(text: str, field: str) -> int:
    """A media record's id in a body. Raises Invalid where it is none."""
    try:
        return parse_id(text)
    except NotFound as error:
        raise _unknown_media(field) from error


async def require_usable(services: Services, viewer: int, media_id: int, field: str, demand: Demand) -> None:
    """Require media of the viewer's own that is complete, whether or not the worker came to it yet.

    Args:
        services: the ports.
        viewer: who asks.
        media_id: the media record.
        field: where the body names it.
        demand: what it must have been uploaded for.

    Raises:
        Invalid: it is not the viewer's, not complete, failed, refused, collected, or made for something else.
    """
    media = await services.rows.get(MEDIA.key(media_id))
    if media is not None and media.owner_id == viewer:
        if media.status == "failed":
            raise Invalid("failed-media", f"this photograph could not be read: {media.reason}", field)
        if media.is_banned:
            raise Invalid("not-allowed", f"this photograph may not be published: {media.rule or 'other'}", field)
        if media.status != "ready":
            raise Invalid("collected-media", "this photograph was not used for long; upload it again", field)
        demand(media.purpose, field)
        return
    upload = await services.vault.uploads.get(media_id)
    if upload is None or upload.owner_id != viewer or upload.state == "aborted":
        raise _unknown_media(field)
    if upload.state != "completed":
        raise Invalid("incomplete-upload", "complete this upload first", field)
    demand(upload.purpose, field)


def _unknown_media(field: str) -> Invalid:
    return Invalid("unknown-media", "this is no photograph that you uploaded", field)
