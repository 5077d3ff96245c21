"""Comments under a post, newest first, and replies under a comment, oldest first."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from gateway.visibility import Seen, nothing_here, see_comment, see_post, visible_accounts
from photolog.timestamps import rfc3339
from projections.card_json import AccountCard
from projections.comment_likes import COMMENT_LIKES
from projections.comments import (
    COMMENTS,
    COMMENTS_BY_POST,
    REPLIES,
    REPLY_COUNTS,
    CommentRow,
    PostCommentRow,
    ReplyRow,
)
from projections.tables import KeyTuple

R = TypeVar("R", PostCommentRow, ReplyRow)
MODELS = ("accounts", "comment_likes", "comments", "graph", "posts")


class CommentViewer(msgspec.Struct, frozen=True, kw_only=True):
    """What the viewer did with a comment."""

    liked: bool


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment; `created_at` in RFC 3339.

    A reply has a `parent_id`, and where it answers another reply, and its author may be seen, `answers` is that author.
    `replies` counts all that hang under a comment.
    """

    id: str
    post_id: str
    parent_id: str | None
    author: AccountCard
    answers: AccountCard | None
    text: str | None
    created_at: str
    likes: int
    replies: int
    viewer: CommentViewer


class CommentPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[Comment]
    next_cursor: str | None


async def comments(services: Services, call: Call) -> Answer:
    """The comments of everyone whom the viewer may see."""
    post_id = call.id("post_id")
    await see_post(services.rows, call.viewer_id, post_id)
    listing: Listing[PostCommentRow, Comment] = Listing(
        lambda after, limit: services.rows.scan(COMMENTS_BY_POST, (post_id,), after=after, limit=limit),
        _mark,
        lambda rows: _shown(services, call.viewer_id, rows),
    )
    return await _answer(services, call, f"comments:{post_id}", listing)


async def replies(services: Services, call: Call) -> Answer:
    """The replies of everyone whom the viewer may see, under a comment that they may see."""
    post_id, comment_id = call.id("post_id"), call.id("comment_id")
    comment = await see_comment(services.rows, call.viewer_id, post_id, comment_id)
    if comment.parent_id is not None:
        raise nothing_here()
    listing: Listing[ReplyRow, Comment] = Listing(
        lambda after, limit: services.rows.scan(REPLIES, (post_id, comment_id), after=after, limit=limit),
        _mark,
        lambda rows: _shown(services, call.viewer_id, rows),
    )
    return await _answer(services, call, f"replies:{post_id}:{comment_id}", listing)


def _mark(row: PostCommentRow | ReplyRow) -> KeyTuple:
    return (row.comment_id,)


async def _answer(services: Services, call: Call, kind: str, listing: Listing[R, Comment]) -> Answer:
    query: ListQuery = call.query
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    return Answer(CommentPage(items=items, next_cursor=services.cursors.encode(kind, mark) if mark else None))


async def _shown(
    services: Services, viewer_id: int | None, rows: Sequence[PostCommentRow | ReplyRow]
) -> list[Comment | None]:
    named = {row.author_id for row in rows} | {row.answered_id for row in rows if isinstance(row, ReplyRow)}
    people, decided, counts, liked = await asyncio.gather(
        visible_accounts(services.rows, viewer_id, [account_id for account_id in named if account_id is not None]),
        services.rows.get_many([COMMENTS.key(row.post_id, row.comment_id) for row in rows]),
        services.rows.get_many([REPLY_COUNTS.key(row.post_id, row.comment_id) for row in rows]),
        _liked(services, viewer_id, rows),
    )
    return [
        _comment(row, one, count.count if count else 0, row.comment_id in liked, people)
        # A comment that was deleted meanwhile is not there.
        if one is not None and row.author_id in people
        else None
        for row, one, count in zip(rows, decided, counts, strict=True)
    ]


async def _liked(services: Services, viewer_id: int | None, rows: Sequence[PostCommentRow | ReplyRow]) -> set[int]:
    if viewer_id is None:
        return set()
    found = await services.rows.get_many([COMMENT_LIKES.key(viewer_id, row.comment_id) for row in rows])
    return {like.comment_id for like in found if like is not None}


def _comment(
    row: PostCommentRow | ReplyRow, decided: CommentRow, replies: int, liked: bool, people: dict[int, Seen]
) -> Comment:
    reply = row if isinstance(row, ReplyRow) else None
    answered = people.get(reply.answered_id) if reply and reply.answered_id is not None else None
    return Comment(
        id=str(row.comment_id),
        post_id=str(row.post_id),
        parent_id=str(reply.parent_id) if reply else None,
        author=_card(people[row.author_id]),
        answers=_card(answered) if answered else None,
        text=row.text,
        created_at=rfc3339(row.created_ms),
        likes=decided.likes,
        replies=replies,
        viewer=CommentViewer(liked=liked),
    )


def _card(seen: Seen) -> AccountCard:
    account = seen.account
    return AccountCard(
        id=str(account.account_id),
        username=account.username,
        display_name=account.display_name,
        verified=account.verified,
    )


_PATH = "/v1/posts/{post_id}/comments"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        _PATH,
        comments,
        "Comments on a post",
        "comments",
        auth="optional",
        query=ListQuery,
        response=CommentPage,
        models=MODELS,
    ),
    Endpoint(
        "GET",
        _PATH + "/{comment_id}/replies",
        replies,
        "Replies to a comment",
        "comments",
        auth="optional",
        query=ListQuery,
        response=CommentPage,
        models=MODELS,
    ),
)
