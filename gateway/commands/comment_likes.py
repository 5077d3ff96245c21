"""Commands on likes of comments: both may be repeated, and the account's key decides what is so in the end."""

import msgspec

from gateway.endpoint import Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import see_comment
from photolog.errors import NotFound
from projections.comment_likes import COMMENT_LIKES
from schemas.events import CommentLiked, CommentUnliked


class CommentLiking(msgspec.Struct, frozen=True, kw_only=True):
    comment_id: str
    liked: bool


async def like(services: Services, call: Call) -> Command:
    """Like a comment, or a reply, that the viewer may see."""
    post_id, comment_id = call.id("post_id"), call.id("comment_id")
    await see_comment(services.rows, call.viewer, post_id, comment_id)
    event = CommentLiked(actor_id=call.viewer, comment_id=comment_id, post_id=post_id)
    return Command((event,), CommentLiking(comment_id=str(comment_id), liked=True))


async def unlike(services: Services, call: Call) -> Command:
    """Take a like back, also from a comment that the viewer may not see any more."""
    post_id, comment_id = call.id("post_id"), call.id("comment_id")
    try:
        await see_comment(services.rows, call.viewer, post_id, comment_id)
    except NotFound:
        liked = await services.rows.get(COMMENT_LIKES.key(call.viewer, comment_id))
        if liked is None or liked.post_id != post_id:
            raise
    event = CommentUnliked(actor_id=call.viewer, comment_id=comment_id, post_id=post_id)
    return Command((event,), CommentLiking(comment_id=str(comment_id), liked=False))


_PATH = "/v1/posts/{post_id}/comments/{comment_id}/like"
_MODELS = ("accounts", "comment_likes", "comments", "graph", "posts")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("PUT", _PATH, like, "Like a comment", "comments", response=CommentLiking, models=_MODELS),
    Endpoint("DELETE", _PATH, unlike, "Take such a like back", "comments", response=CommentLiking, models=_MODELS),
)
