"""Commands of moderators that take a post or a story down everywhere, with whatever else shows the same media."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from gateway.blocking import block_of, keep_thumbprint
from gateway.commands.moderation import Note, clean_note
from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.holders import posts_with, stories_with
from gateway.services import Services
from gateway.visibility import nothing_here
from projections.media import MEDIA, MediaRow
from projections.posts import POSTS, PostRow
from projections.stories import STORIES, StoryRow
from schemas.events import Event, HouseRule, MediaTakenDown, PostDeleted, StoryDeleted


class TakeDown(Body, frozen=True, kw_only=True):
    """The rule that was broken, which the author is told, and a note for other operators."""

    rule: HouseRule
    note: Note = ""


class TakenDown(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone: posts, stories, and media. Contents whose fingerprints are known are blocked from now on."""

    post_ids: list[str]
    story_ids: list[str]
    media_ids: list[str]
    blocked: list[str]


@dataclass(frozen=True, slots=True)
class _Ending:
    """What a takedown ends.

    Args:
        posts: the post that is named, and those of its media.
        stories: likewise.
        media: what is there of what they show.
    """

    posts: Sequence[PostRow]
    stories: Sequence[StoryRow]
    media: Sequence[MediaRow]

    @property
    def blocked(self) -> list[MediaRow]:
        """The media whose contents can be recognised."""
        return [one for one in self.media if one.digest]


async def take_down_post(services: Services, call: Call) -> Command:
    """Take a post down, with every other post and story of its photographs and videos. The answer comes once nobody
    sees them."""
    post = await services.rows.get(POSTS.key(call.id("post_id")))
    if post is None:
        raise nothing_here()
    return await _take_down(services, call, post.media_ids, (post,), ())


async def take_down_story(services: Services, call: Call) -> Command:
    """Take a story down, with every other one of its photograph or clip, from highlights and its owner's archive too.
    The answer comes once nobody sees them."""
    story = await services.rows.get(STORIES.key(call.id("story_id")))
    if story is None:
        raise nothing_here()
    return await _take_down(services, call, [story.media_id], (), (story,))


async def _take_down(
    services: Services, call: Call, media_ids: Sequence[int], posts: Sequence[PostRow], stories: Sequence[StoryRow]
) -> Command:
    found = await services.rows.get_many([MEDIA.key(media_id) for media_id in media_ids])
    media = [one for one in found if one is not None and one.status == "ready"]
    all_posts = {one.post_id: one for one in (*posts, *await posts_with(services, media))}
    all_stories = {one.story_id: one for one in (*stories, *await stories_with(services, media))}
    ending = _Ending(list(all_posts.values()), list(all_stories.values()), media)
    for one in ending.blocked:
        await keep_thumbprint(services, one)
    return Command(
        tuple(_ends(call.operator_name, call.body, ending)),
        TakenDown(
            post_ids=[str(post_id) for post_id in all_posts],
            story_ids=[str(story_id) for story_id in all_stories],
            media_ids=[str(one.media_id) for one in media],
            blocked=[one.digest for one in ending.blocked if one.digest],
        ),
        wait_for=("blocks", "media", "posts", "stories"),
    )


def _ends(operator: str, body: TakeDown, ending: _Ending) -> Iterable[Event]:
    """The block first: whatever else fails, nobody uploads it again meanwhile."""
    rule, note = body.rule, clean_note(body.note)
    yield from (block_of(one, rule, operator, note) for one in ending.blocked)
    for one in ending.media:
        yield MediaTakenDown(media_id=one.media_id, owner_id=one.owner_id, rule=rule, operator=operator, note=note)
    for post in ending.posts:
        if post.status != "deleted":
            yield PostDeleted(post_id=post.post_id, owner_id=post.owner_id, taken_down=rule, operator=operator)
    for story in ending.stories:
        if story.status != "deleted":
            yield StoryDeleted(story_id=story.story_id, owner_id=story.owner_id, taken_down=rule, operator=operator)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/moderation/posts/{post_id}/takedown",
        take_down_post,
        "Take a post down",
        "moderation",
        auth="operator",
        body=TakeDown,
        response=TakenDown,
        models=("media", "posts", "stories"),
    ),
    Endpoint(
        "POST",
        "/v1/moderation/stories/{story_id}/takedown",
        take_down_story,
        "Take a story down",
        "moderation",
        auth="operator",
        body=TakeDown,
        response=TakenDown,
        models=("media", "posts", "stories"),
    ),
)
