"""Comments under a post, newest first."""

from collections.abc import Sequence

import msgspec

from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from gateway.visibility import see_post, visible_accounts
from photolog.timestamps import rfc3339
from projections.card_json import AccountCard
from projections.comments import COMMENTS_BY_POST, PostCommentRow


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment; `created_at` in RFC 3339."""

    id: str
    post_id: str
    author: AccountCard
    text: str | None
    created_at: str


class CommentPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[Comment]
    next_cursor: str | None


async def comments(services: Services, call: Call) -> Answer:
    """The comments of everyone whom the viewer may see."""
    post_id = call.id("post_id")
    await see_post(services.rows, call.viewer_id, post_id)
    query: ListQuery = call.query
    kind = f"comments:{post_id}"
    listing = Listing(
        lambda after, limit: services.rows.scan(COMMENTS_BY_POST, (post_id,), after=after, limit=limit),
        lambda row: (row.comment_id,),
        lambda rows: _shown(services, call.viewer_id, rows),
    )
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    return Answer(CommentPage(items=items, next_cursor=services.cursors.encode(kind, mark) if mark else None))


async def _shown(services: Services, viewer_id: int | None, rows: Sequence[PostCommentRow]) -> list[Comment | None]:
    authors = await visible_accounts(services.rows, viewer_id, {row.author_id for row in rows})
    return [
        Comment(
            id=str(row.comment_id),
            post_id=str(row.post_id),
            author=AccountCard(
                id=str(row.author_id),
                username=seen.account.username,
                display_name=seen.account.display_name,
                verified=seen.account.verified,
            ),
            text=row.text,
            created_at=rfc3339(row.created_ms),
        )
        if (seen := authors.get(row.author_id))
        else None
        for row in rows
    ]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/posts/{post_id}/comments",
        comments,
        "Comments on a post",
        "comments",
        auth="optional",
        query=ListQuery,
        response=CommentPage,
        models=("accounts", "comments", "graph", "posts"),
    ),
)
