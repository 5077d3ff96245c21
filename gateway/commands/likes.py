"""Commands on likes: both may be repeated, and the account's key decides what is so in the end."""

import msgspec

from gateway.endpoint import Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import see_post
from photolog.errors import Conflict, NotFound
from projections.likes import LIKES
from schemas.events import PostLiked, PostUnliked


class Liking(msgspec.Struct, frozen=True, kw_only=True):
    post_id: str
    liked: bool


async def like(services: Services, call: Call) -> Command:
    """Like a published post that the viewer may see."""
    post_id = call.id("post_id")
    seen = await see_post(services.rows, call.viewer, post_id)
    if seen.post.status != "published":
        raise Conflict("not-published", "this post is not published yet")
    return Command((PostLiked(actor_id=call.viewer, post_id=post_id),), Liking(post_id=str(post_id), liked=True))


async def unlike(services: Services, call: Call) -> Command:
    """Take a like back, also from a post that the viewer may not see any more."""
    post_id = call.id("post_id")
    try:
        await see_post(services.rows, call.viewer, post_id)
    except NotFound:
        if await services.rows.get(LIKES.key(call.viewer, post_id)) is None:
            raise
    return Command((PostUnliked(actor_id=call.viewer, post_id=post_id),), Liking(post_id=str(post_id), liked=False))


_MODELS = ("accounts", "graph", "likes", "posts")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("PUT", "/v1/posts/{post_id}/like", like, "Like a post", "likes", response=Liking, models=_MODELS),
    Endpoint(
        "DELETE", "/v1/posts/{post_id}/like", unlike, "Take a like back", "likes", response=Liking, models=_MODELS
    ),
)
