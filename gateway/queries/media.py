"""Photographs: a visibility check, then the way to the edge, or to the bucket where there is none. The gateway carries
no photograph's bytes."""

from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.shown_media import see_media
from photolog.errors import StoreUnavailable
from photolog.media.addresses import StoredFile
from photolog.media.originals import content_prefix
from schemas.events import MediaVariant


async def variant(services: Services, call: Call) -> Answer:
    """Where to get one file of a photograph that the viewer may see: their own, or one of a post they may see."""
    media_id = call.id("media_id")
    shown = await see_media(services.rows, call.viewer_id, media_id, services.clock_ms)
    wanted = shown.stored(call.path["variant"])
    shared = shown.media.content_id and not wanted.object_key.startswith(content_prefix(media_id))
    if services.edge is None and shared:
        # Its address in the bucket would tell that somebody else has it too; files are shared behind an edge only.
        raise StoreUnavailable(f"the files of {media_id} are shared, and there is no edge to serve them")
    return _redirect(services, call.viewer_id, media_id, wanted, public=bool(shown.public_posts))


def _redirect(
    services: Services, viewer_id: int | None, media_id: int, wanted: MediaVariant, *, public: bool
) -> Answer:
    """The address of a file. A signed one is short-lived; a cached answer must not outlive it."""
    s3 = services.settings.s3
    seconds = s3.view_seconds if public else s3.view_private_seconds
    address = StoredFile(media_id, wanted.name)
    if services.edge is None:
        location = services.objects.presign_get(wanted.object_key, seconds)
    elif public:
        location = services.edge.open(address)
    else:
        location = services.edge.signed(address, viewer_id, seconds)
    headers = {
        "location": location,
        "cache-control": f"private, max-age={seconds // 2}",
        "vary": "authorization",
    }
    return Answer(status=302, headers=headers)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/media/{media_id}/{variant}",
        variant,
        "A photograph's file",
        "media",
        auth="optional",
        status=302,
        rate="media",
        models=("accounts", "close_friends", "graph", "highlights", "media", "posts", "stories"),
    ),
)
