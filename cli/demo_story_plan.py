"""Who of the demo's people shows a story, who plays it, and from whom it is hidden. Pure, as the rest of the plan."""

from dataclasses import dataclass

from cli.demo_model import NaiveWorld
from cli.demo_world import CELEBRITY, PRIVATE_PERSON, Photograph, World

VIEWERS = 3
_WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class PlannedStory:
    """A story, and what becomes of it. People are named by their index.

    Args:
        owner: whose it is.
        photograph: what it shows.
        alt_text: in words.
        close: it is for close friends alone.
        hidden_from: for whom it is not there.
    """

    owner: int
    photograph: Photograph
    alt_text: str
    close: bool
    hidden_from: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoryPlan:
    """All stories of a world. The first is the celebrity's for everybody, the second theirs for the close friend.

    Args:
        stories: in the order in which they are published.
        viewers: who plays the celebrity's stories, one after the other; all of them follow the celebrity.
        close_friend: the one of them who sees the second story as well.
        title: of the highlight that keeps the first two.
        reply: words of the first viewer.
        reaction: an emoji of the second.
    """

    stories: tuple[PlannedStory, ...]
    viewers: tuple[int, ...]
    close_friend: int
    title: str = "Days out"
    reply: str = "Take me along next time"
    reaction: str = "😍"


def plan_stories(world: World, truth: NaiveWorld) -> StoryPlan:
    """Plan the stories of a world in which all else has happened.

    Args:
        world: the world.
        truth: what is so in it by now.
    """
    viewers = tuple(sorted(truth.followers(CELEBRITY) - {PRIVATE_PERSON}))[:VIEWERS]
    close_friend = viewers[0]
    blocker, blocked = world.blocks[0]
    known = truth.followers(PRIVATE_PERSON) | {PRIVATE_PERSON}
    stranger = next(person.index for person in world.people if person.index not in known)
    return StoryPlan(
        stories=(
            _story(CELEBRITY, "coffee.png", "A cup of coffee.", ()),
            _story(CELEBRITY, "chelsea.png", "A ginger cat.", viewers[1:], close=True),
            _story(blocker, "rocket.jpg", "A rocket on its pad.", (blocked,)),
            _story(PRIVATE_PERSON, "camera.png", "A man with a camera.", (stranger,)),
        ),
        viewers=viewers,
        close_friend=close_friend,
    )


def _story(owner: int, source: str, alt_text: str, hidden_from: tuple[int, ...], close: bool = False) -> PlannedStory:
    return PlannedStory(owner, Photograph(source, _WHOLE, 1_000, "jpeg"), alt_text, close, hidden_from)
