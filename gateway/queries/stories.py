"""A story by its id, and an account's live stories in the order in which they are played."""

import asyncio
from collections.abc import Sequence

import msgspec

from gateway.endpoint import Answer, Call, Endpoint, NoQuery
from gateway.queries.story_tray import StoryViewers, viewers_of
from gateway.services import Services
from gateway.story_reads import cached_stories, close_to, visible_stories
from gateway.visibility import absent_story, see_posts_of
from projections.stores.seen_reading import seen_among
from projections.stores.user_stories_reading import live_stories
from projections.story_cards import CachedStory, StoryBody
from projections.story_tray import shown_to
from projections.story_views import KEPT_MS


class Story(StoryBody, frozen=True, kw_only=True):
    """A story as clients get it: whether the viewer saw it, and to its owner alone who else did, until a day after its
    end; null from then on. Of stories that were not seen about one in a hundred says that it was."""

    seen: bool
    viewers: StoryViewers | None


class Playback(msgspec.Struct, frozen=True, kw_only=True):
    """An account's live stories that the viewer may see, the first to be published first."""

    items: list[Story]


async def story(services: Services, call: Call) -> Answer:
    """One story; its owner has it for ever, everybody else while it is live."""
    story_id = call.id("story_id")
    found = (await visible_stories(services, call.viewer, [story_id])).get(story_id)
    if found is None:
        raise await absent_story(services.rows, call.viewer, story_id)
    return Answer(msgspec.Raw((await _told(services, call.viewer, [found]))[0]))


async def playback(services: Services, call: Call) -> Answer:
    """What is played when somebody opens an account's stories."""
    owner_id = call.id("account_id")
    await see_posts_of(services.rows, call.viewer, owner_id)
    now_ms = services.clock_ms()
    (live, _), close = await asyncio.gather(
        live_stories(services.rows, services.cache, [owner_id], now_ms, 1),
        close_to(services, call.viewer, {owner_id}),
    )
    shown = shown_to(live.get(owner_id, ()), owner_id == call.viewer or owner_id in close)
    stories = await cached_stories(services, [one.story_id for one in shown])
    there = [one for one in stories if one is not None and one.is_live(now_ms)]
    return Answer(msgspec.Raw(b'{"items":[%b]}' % b",".join(await _told(services, call.viewer, there))))


async def _told(services: Services, viewer_id: int, stories: Sequence[CachedStory]) -> list[bytes]:
    """The JSON of a `Story` for each."""
    others = {one.story_id: one.published_ms for one in stories if one.owner_id != viewer_id}
    now_ms = services.clock_ms()
    mine = {one.story_id for one in stories if one.owner_id == viewer_id}
    over = {one.story_id for one in stories if one.expires_ms and one.expires_ms + KEPT_MS <= now_ms}
    own = sorted(mine - over)
    seen, viewers = await asyncio.gather(
        seen_among(services.rows, services.seen, viewer_id, others),
        asyncio.gather(*(viewers_of(services, viewer_id, story_id) for story_id in own)),
    )
    of_own = {story_id: msgspec.json.encode(one) for story_id, one in zip(own, viewers, strict=True)}
    return [
        b'%b,"seen":%b,"viewers":%b}'
        % (
            one.body[:-1],
            b"true" if one.story_id in seen or one.story_id in mine else b"false",
            of_own.get(one.story_id, b"null"),
        )
        for one in stories
    ]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/stories/{story_id}",
        story,
        "A story",
        "stories",
        query=NoQuery,
        response=Story,
        models=("accounts", "graph", "stories", "close_friends"),
    ),
    Endpoint(
        "GET",
        "/v1/accounts/{account_id}/stories",
        playback,
        "An account's live stories, in the order of playback",
        "stories",
        query=NoQuery,
        response=Playback,
        models=("accounts", "graph", "stories", "close_friends"),
    ),
)
