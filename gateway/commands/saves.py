"""Commands on saved posts: both may be repeated, and nobody but who saves them learns of it."""

import msgspec

from gateway.endpoint import Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import see_post
from photolog.errors import Conflict, NotFound
from projections.saves import SAVES
from schemas.events import PostSaved, PostUnsaved


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    post_id: str
    saved: bool


async def save(services: Services, call: Call) -> Command:
    """Save a published post that the viewer may see."""
    post_id = call.id("post_id")
    post = (await see_post(services.rows, call.viewer, post_id)).post
    if post.status != "published":
        raise Conflict("not-published", "this post is not published yet")
    event = PostSaved(actor_id=call.viewer, post_id=post_id, owner_id=post.owner_id)
    return Command((event,), Saving(post_id=str(post_id), saved=True))


async def unsave(services: Services, call: Call) -> Command:
    """Forget a saved post, also one that the viewer may not see any more."""
    post_id = call.id("post_id")
    try:
        await see_post(services.rows, call.viewer, post_id)
    except NotFound:
        if await services.rows.get(SAVES.key(call.viewer, post_id)) is None:
            raise
    return Command((PostUnsaved(actor_id=call.viewer, post_id=post_id),), Saving(post_id=str(post_id), saved=False))


_PATH = "/v1/posts/{post_id}/save"
_MODELS = ("accounts", "graph", "posts", "saves")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("PUT", _PATH, save, "Save a post", "saves", response=Saving, models=_MODELS),
    Endpoint("DELETE", _PATH, unsave, "Forget a saved post", "saves", response=Saving, models=_MODELS),
)
