"""What a block of a media record's content is made of, and the thumbprint that is kept with it."""

from gateway.services import Services
from photolog.engines.object_store import ObjectRefused
from photolog.media.thumbprints import blocked_thumbprint_key, thumbprint_beside
from projections.media import MediaRow, stored_files
from schemas.events import ContentBlocked, HouseRule

_THUMBPRINT_BYTES_MAX = 65_536
_PLAIN_BYTES = "application/octet-stream"


def block_of(media: MediaRow, rule: HouseRule, operator: str, note: str) -> ContentBlocked:
    """The block of the content of a record whose digest is known."""
    return ContentBlocked(
        digest=media.digest or "",
        rule=rule,
        operator=operator,
        note=note,
        media_id=media.media_id,
        kind=media.kind,
        phash=media.phash,
        duration_ms=media.duration_ms,
        frames=media.frames,
    )


async def keep_thumbprint(services: Services, media: MediaRow) -> None:
    """Have a photograph's thumbprint where it stays when its files go. To be done before its block is appended: whoever
    reads the block then finds it. A video has none, nor has a photograph of an early version.

    Raises:
        StoreUnavailable: the bucket did not answer.
    """
    files = stored_files(media)
    if media.kind != "photo" or not media.digest or not files:
        return
    try:
        data = await services.objects.read_range(thumbprint_beside(files[0].object_key), 0, _THUMBPRINT_BYTES_MAX)
    except ObjectRefused:
        return
    await services.objects.put(blocked_thumbprint_key(media.digest), data, _PLAIN_BYTES)
