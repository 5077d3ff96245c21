"""The tray of stories, and who saw one."""

import asyncio
from collections.abc import Sequence

import msgspec

from gateway.card_reads import Facts
from gateway.endpoint import Answer, Call, Endpoint, ListQuery, NoQuery
from gateway.pages import Listing, page
from gateway.queries.graph import ListedAccount, listed_accounts
from gateway.services import Services
from gateway.story_reads import views_of
from gateway.story_summary import NAMES_MAX, viewed_by
from gateway.story_tray import story_tray
from gateway.visibility import own_story
from photolog.timestamps import rfc3339
from projections.card_json import AccountCard
from projections.story_tray import TrayPlace
from projections.story_views import STORY_VIEWERS, StoryViewerRow

_LOOKED_AT = 10  # viewers among whom the two are looked for that a summary names


class TrayEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An account with live stories. `first_unseen` is where playback begins; null where everything was seen."""

    account: AccountCard
    stories: int
    newest_at: str
    unseen: bool
    first_unseen: str | None


class TrayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The viewer's own stories, and those of whom they follow: who has something unseen first, then the others, among
    each the newest story first. At most 500 accounts, of the 1,000 with the newest stories.

    `whole` is false where so many are followed that not all could be looked at yet; the next request goes on.
    """

    own: TrayEntry | None
    items: list[TrayEntry]
    whole: bool


class StoryViewers(msgspec.Struct, frozen=True, kw_only=True):
    """How many saw a story, and the last of them that may be named. `text` says it: "Viewed by @alice, @bob and 1,247
    others"; null where nobody saw it."""

    views: int
    text: str | None
    newest: list[ListedAccount]


class StoryViewersPage(msgspec.Struct, frozen=True, kw_only=True):
    """Who saw a story, the last first, and all of it in a sentence."""

    summary: StoryViewers
    items: list[ListedAccount]
    next_cursor: str | None


async def tray(services: Services, call: Call) -> Answer:
    """The viewer's tray."""
    found = await story_tray(services, call.viewer)
    items = b",".join([_entry(place, found.facts) for place in found.places])
    own = b"null" if found.own is None else _entry(found.own, found.facts)
    whole = b"true" if found.whole else b"false"
    return Answer(msgspec.Raw(b'{"own":%b,"items":[%b],"whole":%b}' % (own, items, whole)))


async def viewers(services: Services, call: Call) -> Answer:
    """Who saw a story of the viewer's own. For everybody else there is no such story."""
    story = await own_story(services.rows, call.viewer, call.id("story_id"))
    query: ListQuery = call.query
    listing: Listing[StoryViewerRow, ListedAccount] = Listing(
        lambda after, limit: services.rows.scan(STORY_VIEWERS, (story.story_id,), after=after, limit=limit),
        lambda row: (row.viewed_ms, row.viewer_id),
        lambda rows: listed_accounts(services, call.viewer, [row.viewer_id for row in rows]),
    )
    kind = f"viewers:{story.story_id}"
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    summary, (items, mark) = await asyncio.gather(
        viewers_of(services, call.viewer, story.story_id), page(listing, after, query.limit)
    )
    next_cursor = services.cursors.encode(kind, mark) if mark else None
    return Answer(StoryViewersPage(summary=summary, items=items, next_cursor=next_cursor))


async def viewers_of(services: Services, owner_id: int, story_id: int) -> StoryViewers:
    """What its owner is told of who saw a story."""
    views, rows = await asyncio.gather(
        views_of(services, [story_id]), services.rows.scan(STORY_VIEWERS, (story_id,), limit=_LOOKED_AT)
    )
    shown: Sequence[ListedAccount | None] = await listed_accounts(services, owner_id, [row.viewer_id for row in rows])
    newest = [one for one in shown if one is not None and one.username][:NAMES_MAX]
    text = viewed_by([one.username or "" for one in newest], views[story_id])
    return StoryViewers(views=max(views[story_id], len(newest)), text=text, newest=newest)


def _entry(place: TrayPlace, facts: Facts) -> bytes:
    """The JSON of a `TrayEntry`."""
    unseen = place.first_unseen
    return b'{"account":%b,"stories":%d,"newest_at":"%b","unseen":%b,"first_unseen":%b}' % (
        facts.accounts[place.owner_id].card,
        place.stories,
        rfc3339(place.newest_ms).encode(),
        b"false" if unseen is None else b"true",
        b"null" if unseen is None else b'"%d"' % unseen,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/stories/tray",
        tray,
        "Stories of those you follow, unseen ones first",
        "stories",
        query=NoQuery,
        response=TrayAnswer,
        models=("accounts", "graph", "stories", "close_friends", "seen_stories"),
    ),
    Endpoint(
        "GET",
        "/v1/stories/{story_id}/viewers",
        viewers,
        "Who saw a story of yours",
        "stories",
        query=ListQuery,
        response=StoryViewersPage,
        models=("accounts", "graph", "stories", "story_views"),
    ),
)
