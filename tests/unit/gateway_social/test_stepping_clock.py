"""A gateway whose clock steps shows nothing that has ended, and leaves nothing wrong behind for when the clock is
right. Only its own clock steps: engines that keep caches have their own.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from projections.seen_filter import day_of
from projections.user_stories import user_stories_key
from schemas import events as e
from tests.unit.gateway_social.matrix_world import happen
from tests.unit.gateway_social.test_story_tray import DAY_MS, Town, a_town

HOUR_MS = 3_600_000
STEPS_MS = [2 * HOUR_MS, 30 * HOUR_MS, 300 * HOUR_MS, -2 * HOUR_MS, -30 * HOUR_MS]


@contextlib.contextmanager
def stepped(town: Town, step_ms: int) -> Iterator[None]:
    """The gateway's clock is ahead for a while, or behind where negative."""
    town.river.ahead_ms = step_ms
    try:
        yield
    finally:
        town.river.ahead_ms = 0


@contextlib.asynccontextmanager
async def a_street() -> AsyncIterator[tuple[Town, str, str]]:
    """Two owners, one with a story that ends in an hour and that was seen, the other with one of a day."""
    async with a_town("ada", "ben", "viewer") as town:
        await town.follow("viewer", "ada", "ben")
        short, long = await town.tell("ada", life_ms=HOUR_MS), await town.tell("ben")
        await town.see("viewer", short)
        yield town, short, long


async def lose_caches(town: Town) -> None:
    for name in ("ada", "ben"):
        await town.river.cache.drop([user_stories_key(int(town.people[name].account_id))])
    viewer_id, day = int(town.people["viewer"].account_id), day_of(town.river.now_ms)
    await town.river.seen.drop(viewer_id, [day - 1, day])


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize("step_ms", STEPS_MS)
async def test_a_tray_is_as_before_once_the_clock_is_right(step_ms: int, cold: bool) -> None:
    async with a_street() as (town, _, _):
        before = await town.order("viewer")
        assert before == [("ben", True), ("ada", False)]
        if cold:
            await lose_caches(town)
        with stepped(town, step_ms):
            # By a clock that is ahead some have ended; one that is behind shows no more than there is.
            gone = {"ada"} if 0 < step_ms < DAY_MS else {"ada", "ben"} if step_ms > 0 else set()
            assert await town.order("viewer") == [one for one in before if one[0] not in gone]
        assert await town.order("viewer") == before
        if cold:
            await lose_caches(town)
            assert await town.order("viewer") == before


@pytest.mark.parametrize("step_ms", STEPS_MS)
async def test_pages_are_as_before_once_the_clock_is_right(step_ms: int) -> None:
    async with a_street() as (town, short, long):
        ada, viewer = town.people["ada"], town.people["viewer"]
        highlight = await ada.request("POST", "/v1/highlights", json={"title": "kept", "story_ids": [short]})
        assert highlight.status_code == 201, highlight.text
        pages = [
            (viewer, f"/v1/accounts/{ada.account_id}/stories"),
            (viewer, f"/v1/stories/{long}"),
            (viewer, f"/v1/highlights/{highlight.json()['highlight_id']}"),
            (ada, "/v1/me/stories/archive"),
            (ada, f"/v1/stories/{short}/viewers"),
        ]

        async def shown() -> list[tuple[int, bytes]]:
            answers = [await person.request("GET", path) for person, path in pages]
            return [(answer.status_code, answer.content) for answer in answers]

        before = await shown()
        assert [status for status, _ in before] == [200] * len(pages)
        with stepped(town, step_ms):
            during = await shown()
            assert during[2:] == before[2:], "what lasts does not go by a clock"
        assert await shown() == before


async def test_what_was_deleted_is_shown_by_no_clock_that_is_behind() -> None:
    async with a_street() as (town, short, _):
        await happen(town.river, e.StoryDeleted(story_id=int(short), owner_id=int(town.people["ada"].account_id)))
        with stepped(town, -2 * HOUR_MS):
            assert await town.order("viewer") == [("ben", True)]


async def test_a_count_of_views_is_told_again_once_the_clock_is_right() -> None:
    async with a_street() as (town, short, _):
        await town.count(short, "viewer", views=9)
        town.river.cache.flush()
        path = f"/v1/stories/{short}/viewers"
        with stepped(town, 300 * HOUR_MS):
            during = (await town.people["ada"].request("GET", path)).json()
        assert during["summary"]["views"] == 0, "by that clock it is kept no more"
        told = (await town.people["ada"].request("GET", path)).json()
        assert (told["summary"]["views"], told["summary"]["text"]) == (9, "Viewed by @viewer and 8 others")


async def test_a_view_is_of_no_moment_that_is_yet_to_come_nor_before_its_story() -> None:
    async with a_town("ada", "viewer") as town:
        story_id = await town.tell("ada")
        published_ms = town.river.now_ms
        town.river.now_ms += 5_000
        await town.see("viewer", story_id, age_ms=-30_000)
        await town.see("viewer", story_id, age_ms=60_000)
        found = [town.river.recorded(offset).event for offset in range(len(town.river.records))]
        told = [event.at_ms for event in found if isinstance(event, e.StoryViewed)]
        assert told == [town.river.now_ms, published_ms]
