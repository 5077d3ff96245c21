"""The tray: whose live stories a viewer may see, in the order in which they are shown.

Whom the viewer follows, what live stories these have, and what the viewer is to them and saw of them: three round
trips one after the other where the cache knows everything, and one more for whoever follows very many.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.card_reads import Facts, read_facts
from gateway.followees import followees
from gateway.services import Services
from gateway.story_reads import close_to
from gateway.visibility import may_see_posts_of
from projections.relations import NO_RELATION
from projections.stores.seen_reading import seen_among
from projections.stores.user_stories_reading import live_stories
from projections.story_tray import TrayPlace, shown_to, tray_place, tray_places
from projections.user_stories import LiveStory

OWNERS_MAX = 1_000
"""Of how many owners with live stories a tray is made: those with the newest."""
TRAY_MAX = 500
"""Owners in a tray, at most."""
_FILLED_MAX = 1_000  # owners of whom the cache knows nothing, for each request


@dataclass(frozen=True, slots=True)
class Tray:
    """A viewer's tray.

    Args:
        own: the viewer's own stories; None where there are none.
        places: the others, in order.
        facts: their accounts, and the viewer's.
        whole: whether all followees were looked at. The next request goes on where this one stopped.
    """

    own: TrayPlace | None
    places: Sequence[TrayPlace]
    facts: Facts
    whole: bool


async def story_tray(services: Services, viewer_id: int) -> Tray:
    """The tray of a viewer, as it is now.

    Raises:
        StoreUnavailable: the rows did not answer.
    """
    owner_ids = [viewer_id, *(one for one in await followees(services, viewer_id) if one != viewer_id)]
    now_ms = services.clock_ms()
    found, left = await live_stories(services.rows, services.cache, owner_ids, now_ms, _FILLED_MAX)
    live = _newest(found, viewer_id)
    closed = {owner_id for owner_id, stories in live.items() if any(one.audience != "everyone" for one in stories)}
    published_ms = {one.story_id: one.published_ms for stories in live.values() for one in stories}
    facts, close, seen = await asyncio.gather(
        read_facts(services, viewer_id, account_ids=live),
        close_to(services, viewer_id, closed),
        seen_among(services.rows, services.seen, viewer_id, published_ms),
    )
    own = live.pop(viewer_id, None)
    shown = {
        owner_id: shown_to(stories, owner_id in close)
        for owner_id, stories in live.items()
        if _belongs(viewer_id, owner_id, facts)
    }
    mine = tray_place(viewer_id, own, {one.story_id for one in own}) if own else None
    return Tray(mine, tray_places(shown, seen)[:TRAY_MAX], facts, not left)


def _newest(found: Mapping[int, Sequence[LiveStory]], viewer_id: int) -> dict[int, Sequence[LiveStory]]:
    if len(found) <= OWNERS_MAX:
        return dict(found)
    ranked = sorted(found, key=lambda one: (one == viewer_id, found[one][-1].published_ms), reverse=True)
    return {owner_id: found[owner_id] for owner_id in ranked[:OWNERS_MAX]}


def _belongs(viewer_id: int, owner_id: int, facts: Facts) -> bool:
    """Whether an owner is followed now, not muted, and open to the viewer."""
    relation = facts.relations.get(owner_id, NO_RELATION)
    if relation.follows != "active" or relation.mutes:
        return False
    return may_see_posts_of(viewer_id, facts.accounts.get(owner_id), relation)
