"""Commands of whoever sees a story, to its owner alone: reply to it, react to it, and take either back."""

from typing import Annotated

import emoji
import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.services import Services
from gateway.story_reads import visible_stories
from gateway.visibility import nothing_here, own_story
from photolog.errors import Invalid
from photolog.text import clean_text
from projections.story_cards import CachedStory
from projections.story_replies import REACTION, STORY_ANSWERS, STORY_REPLIES
from schemas.events import StoryReacted, StoryReactionWithdrawn, StoryReplied, StoryReplyDeleted

TEXT_CHARACTERS_MAX = 1_000
EMOJI_CHARACTERS_MAX = 16  # the longest that Unicode recommends has ten


class WriteStoryReply(Body, frozen=True, kw_only=True):
    """Words to a story's owner."""

    text: Annotated[str, msgspec.Meta(max_length=10_000)]  # the cleaned text has a narrower bound of its own


class StoryReplyWritten(msgspec.Struct, frozen=True, kw_only=True):
    reply_id: str
    story_id: str


class ReactToStory(Body, frozen=True, kw_only=True):
    """One emoji."""

    reaction: Annotated[str, msgspec.Meta(max_length=EMOJI_CHARACTERS_MAX)]


class StoryReacting(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the viewer has a reaction to the story from now on."""

    story_id: str
    reacted: bool


async def reply(services: Services, call: Call) -> Command:
    """Reply to a story that the viewer may see now."""
    body: WriteStoryReply = call.body
    text = clean_text(body.text, "text", TEXT_CHARACTERS_MAX).strip()
    if not text:
        raise Invalid("empty-text", "a reply has at least one character", "text")
    story = await _others_story(services, call)
    reply_id = services.ids.next()
    event = StoryReplied(
        reply_id=reply_id, story_id=story.story_id, owner_id=story.owner_id, sender_id=call.viewer, text=text
    )
    answer = StoryReplyWritten(reply_id=str(reply_id), story_id=str(story.story_id))
    return Command((event,), answer, status=201)


async def delete(services: Services, call: Call) -> Command:
    """Delete a reply: its sender may, whatever became of the story, and the story's owner."""
    story_id = call.id("story_id")
    row = await services.rows.get(STORY_REPLIES.key(story_id, call.id("reply_id")))
    if row is None:
        raise nothing_here()
    if row.sender_id != call.viewer:
        await own_story(services.rows, call.viewer, story_id)
    event = StoryReplyDeleted(reply_id=row.reply_id, story_id=story_id, sender_id=row.sender_id, deleted_by=call.viewer)
    return Command((event,), status=204, wait_for=("story_replies",))


async def react(services: Services, call: Call) -> Command:
    """React to a story that the viewer may see now; the reaction takes the place of an earlier one."""
    body: ReactToStory = call.body
    if not _is_one_emoji(body.reaction):
        raise Invalid("not-an-emoji", "a reaction is one emoji", "reaction")
    story = await _others_story(services, call)
    event = StoryReacted(
        story_id=story.story_id, owner_id=story.owner_id, sender_id=call.viewer, reaction=body.reaction
    )
    return Command((event,), StoryReacting(story_id=str(story.story_id), reacted=True))


async def withdraw(services: Services, call: Call) -> Command:
    """Take a reaction back, also from a story that is over or hidden from the viewer by now."""
    story_id = call.id("story_id")
    seen = await visible_stories(services, call.viewer, [story_id])
    if not seen and await services.rows.get(STORY_ANSWERS.key(story_id, call.viewer, REACTION)) is None:
        raise nothing_here()
    event = StoryReactionWithdrawn(story_id=story_id, sender_id=call.viewer)
    return Command((event,), StoryReacting(story_id=str(story_id), reacted=False))


def _is_one_emoji(text: str) -> bool:
    """Whether it is one of those that Unicode lists; a skin or hair alone is only a part of one."""
    listed = emoji.EMOJI_DATA.get(text)
    return listed is not None and listed["status"] > emoji.STATUS["component"]


async def _others_story(services: Services, call: Call) -> CachedStory:
    story_id = call.id("story_id")
    story = (await visible_stories(services, call.viewer, [story_id])).get(story_id)
    if story is None:
        raise nothing_here()
    if story.owner_id == call.viewer:
        raise Invalid("own-story", "nobody replies or reacts to a story of their own")
    return story


_REACTION = "/v1/stories/{story_id}/reaction"
_MODELS = ("accounts", "graph", "stories", "close_friends", "story_replies")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/stories/{story_id}/replies",
        reply,
        "Reply to a story",
        "stories",
        body=WriteStoryReply,
        response=StoryReplyWritten,
        status=201,
        models=_MODELS,
        rate="comment",
    ),
    Endpoint(
        "DELETE",
        "/v1/stories/{story_id}/replies/{reply_id}",
        delete,
        "Delete a reply to a story",
        "stories",
        status=204,
        models=("stories", "story_replies"),
    ),
    Endpoint(
        "PUT",
        _REACTION,
        react,
        "React to a story",
        "stories",
        body=ReactToStory,
        response=StoryReacting,
        models=_MODELS,
    ),
    Endpoint("DELETE", _REACTION, withdraw, "Take a reaction back", "stories", response=StoryReacting, models=_MODELS),
)
