"""What is known of stories and of those who look at them: stories by id, close friends, counts of views."""

import asyncio
from collections.abc import Collection, Iterable, Sequence

from gateway.cached_rows import CachedEntry, cached_rows
from gateway.card_reads import read_facts
from gateway.services import Services
from gateway.visibility import may_see_story
from projections.close_friends import CLOSE_FRIENDS
from projections.relations import NO_RELATION
from projections.stories import STORIES
from projections.story_cards import (
    CARD,
    COUNT,
    CachedStory,
    close_friends_key,
    parse_story,
    story_key,
    story_views_key,
)
from projections.story_views import STORY_VIEWS


async def visible_stories(services: Services, viewer_id: int, story_ids: Sequence[int]) -> dict[int, CachedStory]:
    """Of stories, those that the viewer may see now. Two round trips where the cache knows everything, however many
    stories there are."""
    stories = [story for story in await cached_stories(services, story_ids) if story is not None]
    owner_ids = {story.owner_id for story in stories}
    facts, close = await asyncio.gather(
        read_facts(services, viewer_id, account_ids=owner_ids),
        close_to(services, viewer_id, {story.owner_id for story in stories if story.audience == "close_friends"}),
    )
    now_ms = services.clock_ms()
    return {
        story.story_id: story
        for story in stories
        if may_see_story(
            viewer_id,
            story,
            facts.accounts.get(story.owner_id),
            facts.relations.get(story.owner_id, NO_RELATION),
            story.owner_id in close,
            now_ms,
        )
    }


async def cached_stories(services: Services, story_ids: Sequence[int]) -> list[CachedStory | None]:
    """Stories by their ids, whoever may see them. One round trip where the cache knows all."""
    entries = [CachedEntry(story_key(story_id), (CARD,), (STORIES.key(story_id),)) for story_id in story_ids]
    return [parse_story(value) for (value,) in await cached_rows(services, entries)] if entries else []


async def close_to(services: Services, viewer_id: int, owner_ids: Collection[int]) -> set[int]:
    """Of owners, those who count the viewer among their close friends."""
    asked = [owner_id for owner_id in owner_ids if owner_id != viewer_id]
    if not asked:
        return set()
    fields, rows = [str(owner_id) for owner_id in asked], [CLOSE_FRIENDS.key(one, viewer_id) for one in asked]
    (values,) = await cached_rows(services, [CachedEntry(close_friends_key(viewer_id), fields, rows)])
    return {owner_id for owner_id, value in zip(asked, values, strict=True) if value is not None}


async def views_of(services: Services, story_ids: Iterable[int]) -> dict[int, int]:
    """How many saw each of these stories."""
    wanted = list(story_ids)
    entries = [CachedEntry(story_views_key(one), (COUNT,), (STORY_VIEWS.key(one),)) for one in wanted]
    values = await cached_rows(services, entries) if entries else []
    return {story_id: int(value or 0) for story_id, (value,) in zip(wanted, values, strict=True)}
