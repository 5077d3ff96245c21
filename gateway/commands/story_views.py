"""Views of stories, as clients observe them: appended as telemetry, so that nobody waits for what is made of them.

As with all observations, what may not be seen is dropped without a word, and the answer counts what was sent. However
often somebody sees a story, the view has the same event id.
"""

from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from gateway.commands.telemetry import Accepted, observed_ms
from gateway.endpoint import Body, Call, Command, Endpoint, IdText, parse_id
from gateway.services import Services
from gateway.story_reads import visible_stories
from photolog.errors import NotFound
from projections.story_cards import CachedStory
from schemas.events import StoryViewed

VIEWS_MAX = 100
_NAMESPACE = uuid5(NAMESPACE_URL, "photolog:story-views")


class StoryView(Body, frozen=True, kw_only=True):
    """A story that was on the screen, and since when (RFC 3339, with its offset)."""

    story_id: IdText
    at: Annotated[str, msgspec.Meta(max_length=40)]


class StoryViewBatch(Body, frozen=True, kw_only=True):
    views: Annotated[list[StoryView], msgspec.Meta(min_length=1, max_length=VIEWS_MAX)]


async def view_stories(services: Services, call: Call) -> Command:
    """Take a batch whole or refuse it whole; append a view of each story that the viewer may see and that is not
    theirs."""
    body: StoryViewBatch = call.body
    first: dict[int, int] = {}
    for number, one in enumerate(body.views):
        at_ms = observed_ms(services, one.at, f"views[{number}].at")
        story_id = _story_id(one.story_id)
        if story_id is not None:
            first[story_id] = min(at_ms, first.get(story_id, at_ms))
    stories = await visible_stories(services, call.viewer, sorted(first)) if first else {}
    seen = [
        (story, max(first[story_id], story.published_ms))
        for story_id, story in sorted(stories.items())
        if story.owner_id != call.viewer and story.published_ms
    ]
    events = tuple(_event(call.viewer, story, at_ms) for story, at_ms in seen)
    event_ids = tuple(_event_id(call.viewer, story.story_id) for story, _ in seen)
    return Command(events, Accepted(accepted=len(body.views)), status=202, event_ids=event_ids)


def _story_id(text: str) -> int | None:
    """The story; None where the text is no id of ours, so that nothing has it."""
    try:
        return parse_id(text)
    except NotFound:
        return None


def _event_id(viewer_id: int, story_id: int) -> UUID:
    return uuid5(_NAMESPACE, f"{viewer_id}/{story_id}")


def _event(viewer_id: int, story: CachedStory, at_ms: int) -> StoryViewed:
    return StoryViewed(
        viewer_id=viewer_id,
        story_id=story.story_id,
        owner_id=story.owner_id,
        at_ms=at_ms,
        published_ms=story.published_ms,
        expires_ms=story.expires_ms,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/stories/views",
        view_stories,
        "Send which stories were seen",
        "stories",
        body=StoryViewBatch,
        response=Accepted,
        status=202,
        rate="telemetry",
        observes=True,
    ),
)
