"""The viewer's archive: every story of theirs that was published and is not deleted, the newest first, for ever."""

from collections.abc import Sequence

import msgspec

from gateway.asked_page import asked_page
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing
from gateway.services import Services
from gateway.story_reads import cached_stories
from projections.stories import STORIES_BY_OWNER, OwnedStoryRow
from projections.story_cards import StoryBody


class StoryArchive(msgspec.Struct, frozen=True, kw_only=True):
    items: list[StoryBody]
    next_cursor: str | None


async def archive(services: Services, call: Call) -> Answer:
    """A page of the archive."""

    async def show(rows: Sequence[OwnedStoryRow]) -> list[msgspec.Raw | None]:
        stories = await cached_stories(services, [row.story_id for row in rows])
        return [msgspec.Raw(one.body) if one is not None and one.status == "published" else None for one in stories]

    listing: Listing[OwnedStoryRow, msgspec.Raw] = Listing(
        lambda after, limit: services.rows.scan(STORIES_BY_OWNER, (call.viewer,), after=after, limit=limit),
        lambda row: (row.story_id,),
        show,
    )
    items, cursor = await asked_page(services, call, f"story_archive:{call.viewer}", listing)
    return Answer({"items": items, "next_cursor": cursor})


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/me/stories/archive",
        archive,
        "Your stories, those of the past too",
        "stories",
        query=ListQuery,
        response=StoryArchive,
        models=("stories",),
    ),
)
