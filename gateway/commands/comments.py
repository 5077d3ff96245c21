"""Commands on comments."""

from typing import Annotated

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint, IdText, parse_id
from gateway.services import Services
from gateway.visibility import nothing_here, see_comment, see_post
from photolog.errors import Conflict, Forbidden, Invalid, NotFound
from photolog.text import clean_text
from projections.comments import COMMENTS
from schemas.events import CommentCreated, CommentDeleted

TEXT_CHARACTERS_MAX = 2_200


class WriteComment(Body, frozen=True, kw_only=True):
    """A comment, or with `parent_id` a reply to a comment or to another reply."""

    text: Annotated[str, msgspec.Meta(max_length=20_000)]  # the cleaned text has a narrower bound of its own
    parent_id: IdText | None = None


class CommentWritten(msgspec.Struct, frozen=True, kw_only=True):
    comment_id: str
    post_id: str


async def write(services: Services, call: Call) -> Command:
    """Comment on a published post that the viewer may see, or reply to a comment on it that they may see."""
    body: WriteComment = call.body
    text = clean_text(body.text, "text", TEXT_CHARACTERS_MAX).strip()
    if not text:
        raise Invalid("empty-text", "a comment has at least one character", "text")
    post_id = call.id("post_id")
    seen = await see_post(services.rows, call.viewer, post_id)
    if seen.post.status != "published":
        raise Conflict("not-published", "this post is not published yet")
    parent_id, answered_id = await _thread(services, call.viewer, post_id, body.parent_id)
    comment_id = services.ids.next()
    event = CommentCreated(
        comment_id=comment_id,
        post_id=post_id,
        author_id=call.viewer,
        text=text,
        parent_id=parent_id,
        answered_id=answered_id,
    )
    return Command((event,), CommentWritten(comment_id=str(comment_id), post_id=str(post_id)), status=201)


async def delete(services: Services, call: Call) -> Command:
    """Delete a comment: its author may, also where the post is hidden from them by now, and the post's author.

    Its replies go with it.
    """
    post_id, comment_id = call.id("post_id"), call.id("comment_id")
    comment = await services.rows.get(COMMENTS.key(post_id, comment_id))
    if comment is None:
        raise nothing_here()
    if comment.author_id != call.viewer:
        seen = await see_post(services.rows, call.viewer, post_id)
        if seen.post.owner_id != call.viewer:
            await see_comment(services.rows, call.viewer, post_id, comment_id)
            raise Forbidden("not-yours", "a comment is deleted by its author or by the post's")
    event = CommentDeleted(comment_id=comment_id, post_id=post_id, deleted_by=call.viewer, parent_id=comment.parent_id)
    return Command((event,), status=204, wait_for=("comments",))


async def _thread(services: Services, viewer: int, post_id: int, parent: str | None) -> tuple[int | None, int | None]:
    """What a comment hangs under, and whom it answers there: under a reply stands what the reply stands under."""
    if parent is None:
        return None, None
    try:
        answered = await see_comment(services.rows, viewer, post_id, parse_id(parent))
    except NotFound as error:
        raise Invalid("unknown-comment", "there is no such comment on this post", "parent_id") from error
    if answered.parent_id is None:
        return answered.comment_id, None
    return answered.parent_id, answered.author_id


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/posts/{post_id}/comments",
        write,
        "Comment on a post",
        "comments",
        body=WriteComment,
        response=CommentWritten,
        status=201,
        models=("accounts", "comments", "graph", "posts"),
        rate="comment",
    ),
    Endpoint("DELETE", "/v1/posts/{post_id}/comments/{comment_id}", delete, "Delete a comment", "comments", status=204),
)
