"""Commands on highlights: stories of one's own kept under a title, each saved as a whole."""

from typing import Annotated

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint, IdText
from gateway.services import Services
from gateway.visibility import own_highlight
from photolog.errors import Conflict, Invalid
from photolog.text import clean_text
from projections.highlights import HIGHLIGHTS_BY_OWNER
from projections.stories import STORIES
from schemas.events import HighlightDeleted, HighlightSaved

TITLE_CHARACTERS_MAX = 30
STORIES_MAX = 100
HIGHLIGHTS_MAX = 100
_AT_ONCE = ("highlights",)


class SaveHighlight(Body, frozen=True, kw_only=True):
    """A highlight as it is to be: a title, and published stories of one's own in their order."""

    title: Annotated[str, msgspec.Meta(max_length=300)]  # the cleaned title has a narrower bound of its own
    story_ids: Annotated[list[IdText], msgspec.Meta(min_length=1, max_length=STORIES_MAX)]


class HighlightWritten(msgspec.Struct, frozen=True, kw_only=True):
    highlight_id: str


async def create(services: Services, call: Call) -> Command:
    """Make a highlight."""
    title, story_ids = await _checked(services, call)
    made = await services.rows.scan(HIGHLIGHTS_BY_OWNER, (call.viewer,), limit=HIGHLIGHTS_MAX)
    if len(made) >= HIGHLIGHTS_MAX:
        raise Conflict("too-many-highlights", f"an account has at most {HIGHLIGHTS_MAX} highlights")
    return _saved(call.viewer, services.ids.next(), title, story_ids, 201)


async def change(services: Services, call: Call) -> Command:
    """Save a highlight of the viewer's own as it is to be from now on."""
    highlight = await own_highlight(services.rows, call.viewer, call.id("highlight_id"))
    title, story_ids = await _checked(services, call)
    return _saved(call.viewer, highlight.highlight_id, title, story_ids, 200)


async def delete(services: Services, call: Call) -> Command:
    """Delete a highlight of the viewer's own; its stories stay."""
    highlight = await own_highlight(services.rows, call.viewer, call.id("highlight_id"))
    event = HighlightDeleted(highlight_id=highlight.highlight_id, owner_id=call.viewer)
    return Command((event,), status=204, wait_for=_AT_ONCE)


async def _checked(services: Services, call: Call) -> tuple[str, list[int]]:
    """The title and the stories of a body."""
    body: SaveHighlight = call.body
    title = clean_text(body.title, "title", TITLE_CHARACTERS_MAX).strip()
    if not title:
        raise Invalid("empty-title", "a title has at least one character", "title")
    story_ids = list(dict.fromkeys(int(text) for text in body.story_ids))
    if len(story_ids) < len(body.story_ids):
        raise Invalid("repeated-story", "a highlight shows each story once", "story_ids")
    stories = await services.rows.get_many([STORIES.key(story_id) for story_id in story_ids if story_id <= _ID_MAX])
    own = [one for one in stories if one is not None and one.owner_id == call.viewer and one.status == "published"]
    if len(own) < len(story_ids):
        raise Invalid("unknown-story", "a highlight shows published stories of your own", "story_ids")
    return title, story_ids


def _saved(owner_id: int, highlight_id: int, title: str, story_ids: list[int], status: int) -> Command:
    event = HighlightSaved(highlight_id=highlight_id, owner_id=owner_id, title=title, story_ids=story_ids)
    return Command((event,), HighlightWritten(highlight_id=str(highlight_id)), status=status, wait_for=_AT_ONCE)


_ID_MAX = (1 << 63) - 1
_PATH = "/v1/highlights/{highlight_id}"
_MODELS = ("stories", "highlights")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/highlights",
        create,
        "Keep stories on your profile",
        "stories",
        body=SaveHighlight,
        response=HighlightWritten,
        status=201,
        models=_MODELS,
    ),
    Endpoint(
        "PUT",
        _PATH,
        change,
        "Change a highlight",
        "stories",
        body=SaveHighlight,
        response=HighlightWritten,
        models=_MODELS,
    ),
    Endpoint("DELETE", _PATH, delete, "Delete a highlight", "stories", status=204, models=_MODELS),
)
