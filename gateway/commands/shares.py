"""The command that says that a post was passed on."""

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import see_post
from photolog.errors import Conflict
from projections.shares import ShareChannel
from schemas.events import PostShared


class SharePost(Body, frozen=True, kw_only=True):
    """By which way the post was passed on."""

    channel: ShareChannel


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    share_id: str
    post_id: str


async def share(services: Services, call: Call) -> Command:
    """Share a published post that the viewer may see. Every share counts; a retry under its key is the same share."""
    body: SharePost = call.body
    post_id = call.id("post_id")
    seen = await see_post(services.rows, call.viewer, post_id)
    if seen.post.status != "published":
        raise Conflict("not-published", "this post is not published yet")
    share_id = services.ids.next()
    event = PostShared(share_id=share_id, actor_id=call.viewer, post_id=post_id, channel=body.channel)
    return Command((event,), Shared(share_id=str(share_id), post_id=str(post_id)), status=201)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/posts/{post_id}/shares",
        share,
        "Share a post",
        "shares",
        body=SharePost,
        response=Shared,
        status=201,
        models=("accounts", "graph", "posts"),
    ),
)
