"""Photographs: a visibility check, then the way to the object store. The gateway carries no photograph's bytes."""

import msgspec

from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.visibility import Seen, look_at, may_see_post, nothing_here
from projections.media import MEDIA
from projections.posts import MEDIA_POSTS, POSTS
from schemas.events import MediaVariant

_POSTS_MAX = 20  # posts of one photograph that are asked whether the viewer may see it
_VARIANTS = msgspec.json.Decoder(list[MediaVariant])


async def variant(services: Services, call: Call) -> Answer:
    """Where to get one file of a photograph that the viewer may see: their own, or one of a post they may see."""
    media_id = call.id("media_id")
    media = await services.rows.get(MEDIA.key(media_id))
    if media is None or media.status != "ready":
        raise nothing_here()
    wanted = next((one for one in _VARIANTS.decode(media.variants) if one.name == call.path["variant"]), None)
    if wanted is None:
        raise nothing_here()
    public = False
    if media.owner_id != call.viewer_id:
        shown = await _shown_by(services, call.viewer_id, media_id)
        if shown is None:
            raise nothing_here()
        public = not shown.account.private
    return _redirect(services, wanted.object_key, public)


def _redirect(services: Services, object_key: str, public: bool) -> Answer:
    """The address of a file. It cannot be taken back, so it is short-lived; a cached answer must not outlive it."""
    s3 = services.settings.s3
    seconds = s3.view_seconds if public else s3.view_private_seconds
    headers = {
        "location": services.objects.presign_get(object_key, seconds),
        "cache-control": f"private, max-age={seconds // 2}",
        "vary": "authorization",
    }
    return Answer(status=302, headers=headers)


async def _shown_by(services: Services, viewer_id: int | None, media_id: int) -> Seen | None:
    """The author of a post that the viewer may see and that holds the photograph; None where there is none."""
    holding = await services.rows.scan(MEDIA_POSTS, (media_id,), limit=_POSTS_MAX)
    posts = [post for post in await services.rows.get_many([POSTS.key(row.post_id) for row in holding]) if post]
    authors = await look_at(services.rows, viewer_id, {post.owner_id for post in posts})
    for post in posts:
        author = authors.get(post.owner_id)
        if author is not None and may_see_post(viewer_id, post, author.account, author.relation):
            return author
    return None


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
        models=("accounts", "graph", "media", "posts"),
    ),
)
