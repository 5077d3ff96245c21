"""Compares what the public API shows of stories and trends with what the plan says must be so."""

from collections.abc import AsyncIterator

from cli.demo_checking import Checked, check_each
from cli.demo_life import Lived
from cli.demo_stages import Stages
from cli.demo_stories import LivedStories
from cli.demo_story_plan import StoryPlan
from cli.demo_trends import Trends
from cli.demo_world import CELEBRITY, World
from photolog.client import Client
from photolog.errors import NotFound
from streams.flink_cluster.rest import FlinkRest
from streams.flink_jobs.catalogue import JOBS

FLINK_SECONDS = 90.0  # the jobs are handed over while people live; a slow machine is at it longer


class StoryChecks:
    """All expectations of stories that have been lived, and of what Flink makes of them.

    Args:
        world: the plan of all else.
        plan: the plan of the stories.
        lived: what became of all else.
        stories: what became of the stories.
        trends: when there are trends.
        flink_url: base of Flink's REST interface.
        stages: shows how it goes.
    """

    def __init__(
        self,
        world: World,
        plan: StoryPlan,
        lived: Lived,
        stories: LivedStories,
        trends: Trends,
        flink_url: str,
        stages: Stages,
    ) -> None:
        self._world = world
        self._plan = plan
        self._lived = lived
        self._ids = stories.ids
        self._highlight_id = stories.highlight_id
        self._trends = trends
        self._flink_url = flink_url
        self._stages = stages

    async def run(self) -> list[Checked]:
        """Check everything. What has not arrived yet is asked for again for a while."""
        plan, stages = self._plan, self._stages
        numbers = range(len(plan.stories))
        hidden = [(number, person) for number in numbers for person in plan.stories[number].hidden_from]
        return [
            await check_each(stages, "stories are hidden from whom they must be", hidden, self._hidden),
            await check_each(stages, "stories show to their owners, for a day", numbers, self._shown),
            await check_each(stages, "trays: what was played is seen", plan.viewers, self._tray),
            await check_each(stages, "replies and reactions: the owner's alone", plan.viewers, self._answers),
            await check_each(stages, "highlights show what each may see", plan.viewers, self._highlight),
            await check_each(stages, "Flink: every job runs", JOBS, self._job, FLINK_SECONDS),
            await check_each(stages, "Flink: who saw a story is counted", (0, 1), self._viewed, FLINK_SECONDS),
            await check_each(stages, "Flink: hashtags trend once they are due", [CELEBRITY], self._trending),
        ]

    async def _hidden(self, where: tuple[int, int]) -> str | None:
        number, person = where
        try:
            await self._client(person).story(self._ids[number])
        except NotFound:
            return None
        return f"{self._name(person)} sees story {number}"

    async def _shown(self, number: int) -> str | None:
        plan = self._plan.stories[number]
        story = await self._client(plan.owner).story(self._ids[number])
        if story.media.alt != plan.alt_text or not story.media.variants:
            return f"story {number}: {story.media}"
        if story.published_at is None or story.expires_at is None or story.expires_at <= story.published_at:
            return f"story {number} is shown from {story.published_at} until {story.expires_at}"
        return None

    async def _tray(self, viewer: int) -> str | None:
        owner_id = self._lived.account_ids[CELEBRITY]
        tray = await self._client(viewer).story_tray()
        found = next(((one.stories, one.unseen) for one in tray.items if one.account.id == owner_id), None)
        expected = (len(self._seen_by(viewer)), False)
        return None if found == expected else f"{self._name(viewer)}: {found} instead of {expected} in the tray"

    async def _answers(self, viewer: int) -> str | None:
        """The owner reads what this viewer answered; the viewer is told that there is no such list."""
        owner, story_id = self._client(CELEBRITY), self._ids[0]
        replies = {(one.sender.id, one.text) async for one in owner.story_replies(story_id)}
        reactions = {(one.sender.id, one.reaction) async for one in owner.story_reactions(story_id)}
        ids = [self._lived.account_ids[person] for person in self._plan.viewers]
        if (replies, reactions) != ({(ids[0], self._plan.reply)}, {(ids[1], self._plan.reaction)}):
            return f"story 0: replies {replies}, reactions {reactions}"
        client = self._client(viewer)
        if await _reads(client.story_replies(story_id)) or await _reads(client.story_reactions(story_id)):
            return f"{self._name(viewer)} reads the answers to a story of somebody else's"
        return None

    async def _highlight(self, viewer: int) -> str | None:
        highlight = await self._client(viewer).highlight(self._highlight_id)
        found = (highlight.title, [story.id for story in highlight.items])
        expected = (self._plan.title, self._seen_by(viewer))
        return None if found == expected else f"{self._name(viewer)}: highlight {found} instead of {expected}"

    async def _job(self, name: str) -> str | None:
        async with FlinkRest(self._flink_url) as rest:
            job = next((job for job in await rest.jobs() if job.name == name and job.is_up), None)
        return None if job else f"Flink's job {name} does not run; `bin/photolog flink jobs` tells more"

    async def _viewed(self, number: int) -> str | None:
        viewers = [person for person in self._plan.viewers if self._ids[number] in self._seen_by(person)]
        found = (await self._client(CELEBRITY).story(self._ids[number])).viewers
        expected = (len(viewers), viewed_by([self._name(person) for person in reversed(viewers)]))
        told = found and (found.views, found.text)
        return None if told == expected else f"story {number}: {told} instead of {expected}"

    async def _trending(self, person: int) -> str | None:
        return await self._trends.failure(self._client(person))

    def _seen_by(self, viewer: int) -> list[str]:
        """Which of the celebrity's stories a viewer may see."""
        return [
            story_id
            for story_id, story in zip(self._ids, self._plan.stories, strict=True)
            if story.owner == CELEBRITY and viewer not in story.hidden_from
        ]

    def _client(self, person: int) -> Client:
        return self._lived.clients[person]

    def _name(self, person: int) -> str:
        return self._world.people[person].username


def viewed_by(usernames: list[str]) -> str:
    """What the owner of a story must be told of at most three who saw it, the last of them first."""
    named = [f"@{name}" for name in usernames[:2]]
    return "Viewed by " + (f"{', '.join(named)} and 1 other" if usernames[2:] else " and ".join(named))


async def _reads(answers: AsyncIterator[object]) -> bool:
    """Whether a list is there at all for whoever asks."""
    try:
        async for _ in answers:
            break
    except NotFound:
        return False
    return True
