"""What the demo says in the end about stories and trends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console

from cli.demo_life import Lived
from cli.demo_stories import LivedStories
from cli.demo_story_plan import StoryPlan
from cli.demo_trends import Trends
from cli.demo_world import CELEBRITY, World
from photolog.client.told_stories import StoryReaction, StoryReply, Trending

TRENDS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ToldStories:
    """What a story's owner is told, and what trends."""

    story_id: str
    viewed: str | None
    replies: Sequence[StoryReply]
    reactions: Sequence[StoryReaction]
    trending: Trending
    due_ms: int


async def told_stories(lived: Lived, stories: LivedStories, trends: Trends) -> ToldStories:
    """Ask for it."""
    owner, story_id = lived.clients[CELEBRITY], stories.ids[0]
    shown = await owner.story(story_id)
    return ToldStories(
        story_id=story_id,
        viewed=shown.viewers.text if shown.viewers else None,
        replies=[one async for one in owner.story_replies(story_id)],
        reactions=[one async for one in owner.story_reactions(story_id)],
        trending=await owner.trending(TRENDS_SHOWN),
        due_ms=trends.due_ms,
    )


def print_stories(console: Console, world: World, plan: StoryPlan, told: ToldStories) -> None:
    """A few sentences."""
    owner = world.people[CELEBRITY].username
    answers = [f"@{one.sender.username} replies “{one.text}”" for one in told.replies]
    answers += [f"@{one.sender.username} reacts with {one.reaction}" for one in told.reactions]
    _print(
        console, f"\n{len(plan.stories)} stories. What @{owner} is told of theirs: {told.viewed or 'nobody saw it'}."
    )
    _print(console, f"{'; '.join(answers)}. A highlight “{plan.title}” keeps it.")
    _print(console, trends_sentence(told.trending, told.due_ms))


def story_addresses(address: str, told: ToldStories) -> list[str]:
    """Things to try while the stack is up, under the reader's token."""
    return [
        f'curl -s -H "Authorization: Bearer $TOKEN" {address}/v1/stories/tray',
        f'curl -s -H "Authorization: Bearer $TOKEN" {address}/v1/stories/{told.story_id}',
        f"curl -s '{address}/v1/trending?limit={TRENDS_SHOWN}'",
    ]


def trends_sentence(trending: Trending, due_ms: int) -> str:
    """What trends, or when it will be told."""
    if trending.window_end is None:
        due = datetime.fromtimestamp(due_ms / 1_000, UTC)
        return (
            f"What trends is told every five minutes: the first hashtags by {due:%H:%M:%S} UTC, at `GET /v1/trending`, "
            "while this is up."
        )
    listed = ", ".join(f"#{one.hashtag} ({one.people})" for one in trending.hashtags)
    return f"What trended in the hour until {trending.window_end:%H:%M} UTC, and how many people used it: {listed}."


def _print(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False)
