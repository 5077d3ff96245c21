"""Commands on stories: show a photograph or a clip for a day, and take it back."""

from typing import Annotated

import msgspec

from gateway.commands.posts import ALT_TEXT_CHARACTERS_MAX
from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.services import Services
from gateway.usable_media import media_id_in, require_usable
from gateway.visibility import nothing_here
from photolog.errors import Conflict, Invalid
from photolog.text import clean_text
from projections.stories import LIVE_STORIES, STORIES
from schemas.events import Purpose, StoryAudience, StoryCreated, StoryDeleted

STORIES_A_DAY_MAX = 100
"""Stories of one account that are shown at once; trays hold twice as many, for those that come at the same moment."""


class CreateStory(Body, frozen=True, kw_only=True):
    """A photograph, or a clip of fifteen seconds, whose upload for a story is complete."""

    media_id: Annotated[str, msgspec.Meta(max_length=64)]
    audience: StoryAudience = "everyone"
    alt_text: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None


class StoryAccepted(msgspec.Struct, frozen=True, kw_only=True):
    story_id: str
    status: str = "processing"


async def create(services: Services, call: Call) -> Command:
    """Create a story. It is shown once its media is made and allowed, for a day from then on; an account has a hundred
    at most that are shown."""
    body: CreateStory = call.body
    media_id = media_id_in(body.media_id, "media_id")
    alt_text = clean_text(body.alt_text, "alt_text", ALT_TEXT_CHARACTERS_MAX) if body.alt_text else None
    await require_usable(services, call.viewer, media_id, "media_id", _demand_story)
    if len(await services.rows.scan(LIVE_STORIES, (call.viewer,), limit=STORIES_A_DAY_MAX)) == STORIES_A_DAY_MAX:
        raise Conflict("too-many-stories", f"at most {STORIES_A_DAY_MAX} stories are shown at once")
    story_id = services.ids.next()
    event = StoryCreated(
        story_id=story_id, owner_id=call.viewer, media_id=media_id, audience=body.audience, alt_text=alt_text
    )
    return Command((event,), StoryAccepted(story_id=str(story_id)), status=201)


async def delete(services: Services, call: Call) -> Command:
    """Delete the viewer's own story, from the archive too. Anybody else's is not there for this."""
    story = await services.rows.get(STORIES.key(call.id("story_id")))
    if story is None or story.owner_id != call.viewer or story.status == "deleted":
        raise nothing_here()
    event = StoryDeleted(story_id=story.story_id, owner_id=story.owner_id)
    return Command((event,), status=204, wait_for=("stories",))


def _demand_story(purpose: Purpose, field: str) -> None:
    if purpose != "story":
        raise Invalid("not-for-a-story", "upload it with the purpose `story`", field)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", "/v1/stories", create, "Create a story", "stories", body=CreateStory, response=StoryAccepted, status=201
    ),
    Endpoint("DELETE", "/v1/stories/{story_id}", delete, "Delete a story", "stories", status=204, models=("stories",)),
)
