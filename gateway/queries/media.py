"""Photographs: a visibility check, then the way to the object store. The gateway carries no photograph's bytes."""

import msgspec

from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.visibility import look_at, may_see_post, nothing_here
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
    if wanted is None or not (media.owner_id == call.viewer_id or await _shown(services, call.viewer_id, media_id)):
        raise nothing_here()
    # A cached answer must not outlive the address in it.
    fresh_seconds = services.settings.s3.presign_seconds // 2
    headers = {
        "location": services.objects.presign_get(wanted.object_key),
        "cache-control": f"private, max-age={fresh_seconds}",
        "vary": "authorization",
    }
    return Answer(status=302, headers=headers)


async def _shown(services: Services, viewer_id: int | None, media_id: int) -> bool:
    """Whether a post that the viewer may see holds the photograph."""
    holding = await services.rows.scan(MEDIA_POSTS, (media_id,), limit=_POSTS_MAX)
    posts = [post for post in await services.rows.get_many([POSTS.key(row.post_id) for row in holding]) if post]
    authors = await look_at(services.rows, viewer_id, {post.owner_id for post in posts})
    return any(
        may_see_post(viewer_id, post, author.account, author.relation)
        for post in posts
        if (author := authors.get(post.owner_id))
    )


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
