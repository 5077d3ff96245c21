"""Highlights: who makes them of what, and to whom they and their stories are there."""

from typing import Any

import httpx
import pytest

from gateway.commands.highlights import HIGHLIGHTS_MAX, STORIES_MAX, TITLE_CHARACTERS_MAX
from schemas import events as e
from tests.unit.gateway_social.matrix_world import happen
from tests.unit.gateway_social.test_story_tray import DAY_MS, VIEWERS, Town, a_circle, a_town

MAY = {"owner", "close friend", "follower", "muting"}


async def save(town: Town, who: str, story_ids: list[str], title: str = "summer", path: str = "") -> httpx.Response:
    body = {"title": title, "story_ids": story_ids}
    return await town.people[who].request("PUT" if path else "POST", f"/v1/highlights{path}", json=body)


async def kept(town: Town, story_ids: list[str], title: str = "summer") -> str:
    answer = await save(town, "owner", story_ids, title)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["highlight_id"])


async def opened(town: Town, viewer: str, highlight_id: str) -> list[str] | int:
    """The stories that a viewer gets, or the status of a refusal."""
    answer = await town.people[viewer].request("GET", f"/v1/highlights/{highlight_id}")
    return [one["id"] for one in answer.json()["items"]] if answer.status_code == 200 else answer.status_code


async def listed(town: Town, viewer: str, limit: int = 20) -> list[dict[str, Any]] | int:
    """The owner's highlights as a viewer gets them, page by page; or the status of a refusal."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        path = f"/v1/accounts/{town.id('owner')}/highlights?limit={limit}{cursor and f'&cursor={cursor}'}"
        answer = await town.people[viewer].request("GET", path)
        if answer.status_code != 200:
            return answer.status_code
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"] or ""
        if not cursor:
            return found


@pytest.mark.parametrize("private", [False, True])
async def test_to_whom_it_and_its_stories_are_there_when_their_day_is_over(private: bool) -> None:
    async with a_circle(private) as town:
        close, open_ = await town.tell("owner", "close_friends", DAY_MS), await town.tell("owner", "everyone", DAY_MS)
        both, secret = await kept(town, [close, open_]), await kept(town, [close], "secret")
        town.river.now_ms += 2 * DAY_MS
        for viewer in VIEWERS:
            await town.people[viewer].log_in()
            # The stranger is on the list, which opens what may be seen of a public account.
            friend = viewer in ("owner", "close friend") or (viewer == "stranger" and not private)
            there = viewer in MAY or (viewer in ("pending", "stranger") and not private)
            shown = [close, open_] if friend else [open_]
            assert await opened(town, viewer, both) == (shown if there else 404), viewer
            assert await opened(town, viewer, secret) == ([close] if friend else 404), viewer
            found = await listed(town, viewer)
            if not there:
                assert found == (403 if viewer in ("pending", "stranger") else 404), viewer
                continue
            assert isinstance(found, list)
            titles = {one["title"]: (one["stories"], one["cover"]["id"]) for one in found}
            assert titles == ({"secret": (1, close)} if friend else {}) | {"summer": (len(shown), shown[0])}, viewer


async def test_it_is_changed_as_a_whole_and_deleted_by_its_owner_alone() -> None:
    async with a_town("owner", "ben") as town:
        one, two = await town.tell("owner"), await town.tell("owner")
        highlight_id = await kept(town, [one])
        path = f"/v1/highlights/{highlight_id}"
        theirs = await town.tell("ben")
        assert (await save(town, "ben", [theirs], "mine", f"/{highlight_id}")).status_code == 404
        assert (await town.people["ben"].request("DELETE", path)).status_code == 404
        assert (await save(town, "owner", [two, one], " winter ", f"/{highlight_id}")).status_code == 200
        assert await opened(town, "ben", highlight_id) == [two, one]
        found = await listed(town, "ben")
        assert isinstance(found, list)
        assert [item["title"] for item in found] == ["winter"]
        for expected in (204, 404):
            assert (await town.people["owner"].request("DELETE", path)).status_code == expected
        assert await opened(town, "ben", highlight_id) == await opened(town, "owner", highlight_id) == 404
        assert await listed(town, "owner") == []


async def test_a_deleted_story_leaves_it_and_one_without_stories_is_its_owners_alone() -> None:
    async with a_town("owner", "ben") as town:
        one, two = await town.tell("owner"), await town.tell("owner")
        highlight_id = await kept(town, [one, two])
        for gone, left in ((one, [two]), (two, [])):
            await happen(town.river, e.StoryDeleted(story_id=int(gone), owner_id=town.id("owner")))
            assert await opened(town, "owner", highlight_id) == left
            assert await opened(town, "ben", highlight_id) == (left or 404)
        assert await listed(town, "ben") == []
        found = await listed(town, "owner")
        assert isinstance(found, list)
        assert [(item["stories"], item["cover"]) for item in found] == [(0, None)]


async def test_it_is_made_of_published_stories_of_ones_own() -> None:
    async with a_town("owner", "ben") as town:
        own, theirs, gone = await town.tell("owner"), await town.tell("ben"), await town.tell("owner")
        waiting = str(town.river.services.ids.next())
        made = e.StoryCreated(
            story_id=int(waiting), owner_id=town.id("owner"), media_id=1, audience="everyone", alt_text=None
        )
        await happen(town.river, made, e.StoryDeleted(story_id=int(gone), owner_id=town.id("owner")))
        for story_ids in ([own, theirs], [gone], [waiting], ["4242"], ["9" * 19], [own, own], [], [own] * 101):
            assert (await save(town, "owner", story_ids)).status_code == 422, story_ids
        for title in ("", " ", "x" * (TITLE_CHARACTERS_MAX + 1)):
            assert (await save(town, "owner", [own], title)).status_code == 422
        assert (await save(town, "owner", [own], "x" * TITLE_CHARACTERS_MAX)).status_code == 201
        assert STORIES_MAX == 100


@pytest.mark.parametrize("limit", [7, 20, 100])
async def test_there_is_a_most_and_pages_have_all_of_them_the_newest_first(limit: int) -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        owner_id = town.id("owner")
        for number in range(1, HIGHLIGHTS_MAX):
            await happen(
                town.river,
                e.HighlightSaved(highlight_id=number, owner_id=owner_id, title=str(number), story_ids=[int(story_id)]),
            )
        await kept(town, [story_id], str(HIGHLIGHTS_MAX))
        assert (await save(town, "owner", [story_id])).status_code == 409
        found = await listed(town, "ben", limit)
        assert isinstance(found, list)
        assert [one["title"] for one in found] == [str(number) for number in range(HIGHLIGHTS_MAX, 0, -1)]


async def test_a_list_does_not_tell_of_highlights_that_are_hidden() -> None:
    async with a_circle(private=False) as town:
        close, open_ = await town.tell("owner", "close_friends"), await town.tell("owner")

        async def first_page(limit: int) -> tuple[list[str], str | None]:
            path = f"/v1/accounts/{town.id('owner')}/highlights?limit={limit}"
            told = (await town.people["follower"].request("GET", path)).json()
            return [one["id"] for one in told["items"]], told["next_cursor"]

        for _ in range(12):
            await kept(town, [close], "secret")
        assert await first_page(1) == ([], None)
        shown = await kept(town, [open_])
        assert await first_page(1) == ([shown], None)
        newer = await kept(town, [open_])
        ids, cursor = await first_page(1)
        assert (ids, cursor is None) == ([newer], False)
