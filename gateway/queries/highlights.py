"""Highlights: those of an account, and the stories in one. One in which a viewer may see nothing is not there for
them, so that a title for close friends is theirs alone."""

from collections.abc import Sequence

import msgspec

from gateway.asked_page import asked_page
from gateway.commands.highlights import HIGHLIGHTS_MAX
from gateway.endpoint import Answer, Call, Endpoint, ListQuery, NoQuery
from gateway.pages import Listing
from gateway.services import Services
from gateway.story_reads import cached_stories, close_to
from gateway.visibility import may_see_kept_story, nothing_here, see_highlight, see_lists_of
from photolog.timestamps import rfc3339
from projections.highlights import HIGHLIGHTS, HIGHLIGHTS_BY_OWNER, HighlightRow, OwnedHighlightRow
from projections.story_cards import CachedStory, StoryBody

PAGE_MAX = 20  # each may have a hundred stories to look at; a page is no longer, whatever is asked for


class ListedHighlight(msgspec.Struct, frozen=True, kw_only=True):
    """A highlight in a list: how many stories the viewer may see in it, and the first of them; null to its owner where
    none is left."""

    id: str
    owner_id: str
    title: str | None
    created_at: str
    stories: int
    cover: StoryBody | None


class HighlightPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ListedHighlight]
    next_cursor: str | None


class Highlight(msgspec.Struct, frozen=True, kw_only=True):
    """A highlight with the stories that the viewer may see in it, in their order."""

    id: str
    owner_id: str
    title: str | None
    created_at: str
    items: list[StoryBody]


async def highlights(services: Services, call: Call) -> Answer:
    """An account's highlights, the newest first."""
    owner_id = call.id("account_id")
    await see_lists_of(services.rows, call.viewer, owner_id)

    async def show(rows: Sequence[OwnedHighlightRow]) -> list[dict[str, object] | None]:
        held = await services.rows.get_many([HIGHLIGHTS.key(row.highlight_id) for row in rows])
        found = [row for row in held if row is not None]
        stories = await _stories(services, call.viewer, owner_id, found)
        there = {row.highlight_id: _listed(row, stories, call.viewer) for row in found}
        return [there.get(row.highlight_id) for row in rows]

    listing: Listing[OwnedHighlightRow, dict[str, object]] = Listing(
        lambda after, limit: services.rows.scan(HIGHLIGHTS_BY_OWNER, (owner_id,), after=after, limit=limit),
        lambda row: (row.highlight_id,),
        show,
        # All at once: where little is shown, a cursor would tell that there is more.
        stride=HIGHLIGHTS_MAX,
    )
    items, cursor = await asked_page(services, call, f"highlights:{owner_id}", listing, PAGE_MAX)
    return Answer({"items": items, "next_cursor": cursor})


async def highlight(services: Services, call: Call) -> Answer:
    """One highlight, with its stories."""
    row = await see_highlight(services.rows, call.viewer, call.id("highlight_id"))
    stories = await _stories(services, call.viewer, row.owner_id, [row])
    shown = _shown(row, stories)
    if not shown and row.owner_id != call.viewer:
        raise nothing_here()
    return Answer(_head(row) | {"items": [msgspec.Raw(one.body) for one in shown]})


async def _stories(
    services: Services, viewer_id: int, owner_id: int, rows: Sequence[HighlightRow]
) -> dict[int, CachedStory]:
    """Of the stories in an owner's highlights those that the viewer may see."""
    wanted = list(dict.fromkeys(story_id for row in rows for story_id in row.story_ids))
    stories = [one for one in await cached_stories(services, wanted) if one is not None and one.owner_id == owner_id]
    hidden = any(one.audience == "close_friends" for one in stories)
    close = bool(await close_to(services, viewer_id, [owner_id])) if hidden else False
    return {one.story_id: one for one in stories if may_see_kept_story(viewer_id, one, close)}


def _listed(row: HighlightRow, stories: dict[int, CachedStory], viewer_id: int) -> dict[str, object] | None:
    shown = _shown(row, stories)
    if not shown and row.owner_id != viewer_id:
        return None
    return _head(row) | {"stories": len(shown), "cover": msgspec.Raw(shown[0].body) if shown else None}


def _shown(row: HighlightRow, stories: dict[int, CachedStory]) -> list[CachedStory]:
    return [stories[story_id] for story_id in row.story_ids if story_id in stories]


def _head(row: HighlightRow) -> dict[str, object]:
    return {
        "id": str(row.highlight_id),
        "owner_id": str(row.owner_id),
        "title": row.title,
        "created_at": rfc3339(row.created_ms),
    }


_MODELS = ("accounts", "graph", "stories", "close_friends", "highlights")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/accounts/{account_id}/highlights",
        highlights,
        "An account's highlights",
        "stories",
        query=ListQuery,
        response=HighlightPage,
        models=_MODELS,
    ),
    Endpoint(
        "GET",
        "/v1/highlights/{highlight_id}",
        highlight,
        "A highlight with its stories",
        "stories",
        query=NoQuery,
        response=Highlight,
        models=_MODELS,
    ),
)
