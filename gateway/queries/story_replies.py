"""What the owner of a story got for it: replies and reactions, the newest first. To others there is no such story."""

from collections.abc import Sequence

import msgspec

from gateway.asked_page import asked_page
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing
from gateway.queries.graph import ListedAccount, listed_accounts
from gateway.services import Services
from gateway.visibility import own_story
from photolog.timestamps import rfc3339
from projections.story_replies import (
    STORY_REACTIONS,
    STORY_REPLIES,
    StoryReactionRow,
    StoryReplyRow,
)


class StoryReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply; `created_at` in RFC 3339. `text` is null where its sender left."""

    id: str
    sender: ListedAccount
    text: str | None
    created_at: str


class StoryReplyPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[StoryReply]
    next_cursor: str | None


class StoryReaction(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's newest reaction, an emoji; `reacted_at` in RFC 3339."""

    sender: ListedAccount
    reaction: str
    reacted_at: str


class StoryReactionPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[StoryReaction]
    next_cursor: str | None


async def replies(services: Services, call: Call) -> Answer:
    """The replies of everyone whom the owner may see."""
    story = await own_story(services.rows, call.viewer, call.id("story_id"))

    async def show(rows: Sequence[StoryReplyRow]) -> list[StoryReply | None]:
        senders = await listed_accounts(services, call.viewer, [row.sender_id for row in rows])
        return [_reply(row, sender) if sender else None for row, sender in zip(rows, senders, strict=True)]

    listing: Listing[StoryReplyRow, StoryReply] = Listing(
        lambda after, limit: services.rows.scan(STORY_REPLIES, (story.story_id,), after=after, limit=limit),
        lambda row: (row.reply_id,),
        show,
    )
    items, cursor = await asked_page(services, call, f"story_replies:{story.story_id}", listing)
    return Answer(StoryReplyPage(items=items, next_cursor=cursor))


async def reactions(services: Services, call: Call) -> Answer:
    """The reactions of everyone whom the owner may see."""
    story = await own_story(services.rows, call.viewer, call.id("story_id"))

    async def show(rows: Sequence[StoryReactionRow]) -> list[StoryReaction | None]:
        senders = await listed_accounts(services, call.viewer, [row.sender_id for row in rows])
        return [_reaction(row, sender) if sender else None for row, sender in zip(rows, senders, strict=True)]

    listing: Listing[StoryReactionRow, StoryReaction] = Listing(
        lambda after, limit: services.rows.scan(STORY_REACTIONS, (story.story_id,), after=after, limit=limit),
        lambda row: (row.reacted_ms, row.sender_id),
        show,
    )
    items, cursor = await asked_page(services, call, f"story_reactions:{story.story_id}", listing)
    return Answer(StoryReactionPage(items=items, next_cursor=cursor))


def _reply(row: StoryReplyRow, sender: ListedAccount) -> StoryReply:
    return StoryReply(id=str(row.reply_id), sender=sender, text=row.text, created_at=rfc3339(row.created_ms))


def _reaction(row: StoryReactionRow, sender: ListedAccount) -> StoryReaction:
    return StoryReaction(sender=sender, reaction=row.reaction, reacted_at=rfc3339(row.reacted_ms))


_MODELS = ("accounts", "graph", "stories", "story_replies")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/stories/{story_id}/replies",
        replies,
        "Replies to a story of yours",
        "stories",
        query=ListQuery,
        response=StoryReplyPage,
        models=_MODELS,
    ),
    Endpoint(
        "GET",
        "/v1/stories/{story_id}/reactions",
        reactions,
        "Reactions to a story of yours",
        "stories",
        query=ListQuery,
        response=StoryReactionPage,
        models=_MODELS,
    ),
)
