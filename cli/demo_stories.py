"""The demo's people show stories, play them and answer them, through the public HTTP API alone."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cli.demo_life import Lived, until
from cli.demo_photos import CONTENT_TYPES, render
from cli.demo_stages import Stages
from cli.demo_story_plan import PlannedStory, StoryPlan
from cli.demo_world import CELEBRITY
from photolog.client import Client


@dataclass(slots=True)
class LivedStories:
    """What became of the plan: the stories' ids in its order, and the id of the highlight."""

    ids: list[str] = field(default_factory=list)
    highlight_id: str = ""


class StoryLife:
    """Does what a plan of stories says.

    Args:
        plan: the plan.
        lived: the world in which all else has happened.
        stages: shows how it goes.
    """

    def __init__(self, plan: StoryPlan, lived: Lived, stages: Stages) -> None:
        self._plan = plan
        self._world = lived
        self._stages = stages
        self.lived = LivedStories()

    async def live(self) -> LivedStories:
        """All of it, in order."""
        plan, act = self._plan, self._stages.each
        await act("count a close friend", [plan.close_friend], self._count_close, 1)
        self.lived.ids = await act("show stories", plan.stories, self._show, 1)
        await act("open their trays and play", plan.viewers, self._play, 1)
        await act("answer a story", plan.viewers[:2], self._answer, 1)
        await act("keep a highlight", [CELEBRITY], self._keep, 1)
        return self.lived

    async def _count_close(self, friend: int) -> None:
        await self._client(CELEBRITY).count_close(self._world.account_ids[friend])

    async def _show(self, story: PlannedStory) -> str:
        client = self._client(story.owner)
        data = await asyncio.to_thread(render, story.photograph)
        media_id = await client.upload(data, CONTENT_TYPES[story.photograph.form], purpose="story")
        story_id = await client.create_story(
            media_id, "close_friends" if story.close else "everyone", alt_text=story.alt_text
        )

        async def shown() -> bool:
            return (await client.story(story_id)).status == "published"

        await until(shown, f"story {story_id}")
        return story_id

    async def _play(self, viewer: int) -> None:
        """Wait until the tray has something unseen of the celebrity's, and play all of it."""
        client, owner_id = self._client(viewer), self._world.account_ids[CELEBRITY]

        async def unseen() -> bool:
            return any(one.account.id == owner_id and one.unseen for one in (await client.story_tray()).items)

        await until(unseen, "the celebrity's stories in a follower's tray")
        stories = await client.stories_of(owner_id)
        await client.see_stories({story.id: datetime.now(UTC) for story in stories})

    async def _answer(self, viewer: int) -> None:
        client, story_id = self._client(viewer), self.lived.ids[0]
        if viewer == self._plan.viewers[0]:
            await client.reply_to_story(story_id, self._plan.reply)
        else:
            await client.react_to_story(story_id, self._plan.reaction)

    async def _keep(self, owner: int) -> None:
        self.lived.highlight_id = await self._client(owner).make_highlight(self._plan.title, self.lived.ids[:2])

    def _client(self, person: int) -> Client:
        return self._world.clients[person]
