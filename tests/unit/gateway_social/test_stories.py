"""Commands on stories and close friends over HTTP, and who sees what of them then."""

from collections.abc import AsyncIterator

import pytest

from gateway.commands.stories import STORIES_A_DAY_MAX
from gateway.shown_media import see_media
from photolog.errors import NotFound
from schemas import events as e
from schemas.topics import STORIES
from tests.unit.gateway.river import River
from tests.unit.gateway_social.matrix_world import happen, story_events
from tests.unit.gateway_social.test_story_tray import Town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    river = River()
    async with river.client() as client:
        town = Town(river, client)
        await town.join("owner", "friend", "other")
        await town.follow("friend", "owner")
        await town.follow("other", "owner")
        yield town


async def media(town: Town, owner: str, purpose: e.Purpose = "story") -> str:
    """A photograph that is made, uploaded for something."""
    media_id = town.river.services.ids.next()
    variant = e.MediaVariant(
        name="w640.jpg", content_type="image/jpeg", width=640, height=480, size_bytes=9, object_key=f"p/{media_id}"
    )
    completed = e.MediaTranscodingCompleted(
        media_id=media_id, owner_id=town.id(owner), width=640, height=480, variants=[variant], purpose=purpose
    )
    await happen(town.river, completed)
    return str(media_id)


async def played(town: Town, viewer: str) -> list[str]:
    answer = await town.people[viewer].request("GET", f"/v1/accounts/{town.id('owner')}/stories")
    return [one["id"] for one in answer.json()["items"]]


async def create(town: Town, **fields: str) -> str:
    body = {"media_id": await media(town, "owner"), **fields}
    answer = await town.people["owner"].request("POST", "/v1/stories", json=body)
    assert (answer.status_code, answer.json()["status"]) == (201, "processing")
    return str(answer.json()["story_id"])


async def publish(town: Town, story_id: str, media_id: int = 1) -> None:
    now = town.river.now_ms
    item = e.MediaItem(media_id=media_id, width=640, height=480, variants=["w640.jpg"])
    await happen(
        town.river,
        e.StoryPublished(
            story_id=int(story_id), owner_id=town.id("owner"), published_ms=now, expires_ms=now + 86_400_000, media=item
        ),
    )


async def test_a_story_for_close_friends_is_there_for_them_alone_while_they_are_it(town: Town) -> None:
    path = f"/v1/me/close-friends/{town.id('friend')}"
    owner = town.people["owner"]
    assert (await owner.request("PUT", path)).json() == {"account_id": str(town.id("friend")), "close_friend": True}
    listed = (await owner.request("GET", "/v1/me/close-friends")).json()["items"]
    assert [one["id"] for one in listed] == [str(town.id("friend"))]
    story_id = await create(town, audience="close_friends")
    await publish(town, story_id)
    assert [await played(town, name) for name in ("owner", "friend", "other")] == [[story_id], [story_id], []]
    await owner.request("DELETE", path)
    assert await played(town, "friend") == []
    assert (await owner.request("GET", "/v1/me/close-friends")).json()["items"] == []


@pytest.mark.parametrize("purpose", ["post", "reel", "voice"])
async def test_media_that_was_made_for_something_else_is_no_story(town: Town, purpose: e.Purpose) -> None:
    body = {"media_id": await media(town, "owner", purpose)}
    answer = await town.people["owner"].request("POST", "/v1/stories", json=body)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "not-for-a-story")


async def test_anothers_media_is_unknown_and_an_audience_is_one_of_two(town: Town) -> None:
    theirs = {"media_id": await media(town, "friend")}
    assert (await town.people["owner"].request("POST", "/v1/stories", json=theirs)).status_code == 422
    wrong = {"media_id": await media(town, "owner"), "audience": "family"}
    assert (await town.people["owner"].request("POST", "/v1/stories", json=wrong)).status_code in (400, 422)
    assert not [record for record in town.river.records if record.topic == STORIES.name]


async def test_nobody_is_their_own_close_friend(town: Town) -> None:
    answer = await town.people["owner"].request("PUT", f"/v1/me/close-friends/{town.id('owner')}")
    assert answer.status_code == 422


async def test_a_deleted_story_is_gone_for_everybody(town: Town) -> None:
    story_id = await create(town)
    await publish(town, story_id)
    assert await played(town, "friend") == [story_id]
    assert (await town.people["friend"].request("DELETE", f"/v1/stories/{story_id}")).status_code == 404
    assert (await town.people["owner"].request("DELETE", f"/v1/stories/{story_id}")).status_code == 204
    for name in ("owner", "friend"):
        assert await played(town, name) == []
        assert (await town.people[name].request("GET", f"/v1/stories/{story_id}")).status_code == 404
    assert (await town.people["owner"].request("DELETE", f"/v1/stories/{story_id}")).status_code == 404


async def test_the_picture_of_a_story_is_there_for_whom_the_story_is(town: Town) -> None:
    media_id = await media(town, "owner")
    answer = await town.people["owner"].request(
        "POST", "/v1/stories", json={"media_id": media_id, "audience": "close_friends"}
    )

    async def may_see(name: str | None) -> bool:
        viewer_id = None if name is None else town.id(name)
        try:
            shown = await see_media(town.river.rows, viewer_id, int(media_id), lambda: town.river.now_ms)
        except NotFound:
            return False
        assert shown.public_posts == (), "no story makes its picture public"
        return True

    assert not await may_see("friend")
    await publish(town, answer.json()["story_id"], int(media_id))
    assert not await may_see("friend")
    await town.people["owner"].request("PUT", f"/v1/me/close-friends/{town.id('friend')}")
    assert [await may_see(name) for name in ("owner", "friend", "other", None)] == [True, True, False, False]
    town.river.now_ms += 86_400_000
    assert [await may_see(name) for name in ("owner", "friend")] == [True, False]


async def test_the_picture_of_a_highlighted_story_is_there_when_its_day_is_over_for_whom_the_highlight_is(
    town: Town,
) -> None:
    media_id = await media(town, "owner")
    owner = town.people["owner"]
    body = {"media_id": media_id, "audience": "close_friends"}
    story_id = (await owner.request("POST", "/v1/stories", json=body)).json()["story_id"]
    await publish(town, story_id, int(media_id))
    await town.people["owner"].request("PUT", f"/v1/me/close-friends/{town.id('friend')}")
    town.river.now_ms += 2 * 86_400_000
    for name in ("owner", "friend"):
        await town.people[name].log_in()

    async def seen_by() -> list[str]:
        found = []
        for name in ("owner", "friend", "other", None):
            viewer_id = None if name is None else town.id(name)
            try:
                shown = await see_media(town.river.rows, viewer_id, int(media_id), lambda: town.river.now_ms)
            except NotFound:
                continue
            assert shown.public_posts == ()
            found.append(name or "anybody")
        return found

    assert await seen_by() == ["owner"]
    made = await owner.request("POST", "/v1/highlights", json={"title": "kept", "story_ids": [story_id]})
    path = f"/v1/highlights/{made.json()['highlight_id']}"
    assert await seen_by() == ["owner", "friend"]
    # One that the log has of somebody else's story opens nothing.
    theirs = e.HighlightSaved(highlight_id=4_242, owner_id=town.id("other"), title="mine", story_ids=[int(story_id)])
    await happen(town.river, theirs)
    assert await seen_by() == ["owner", "friend"]
    await owner.request("DELETE", f"/v1/me/close-friends/{town.id('friend')}")
    assert await seen_by() == ["owner"]
    await owner.request("PUT", f"/v1/me/close-friends/{town.id('friend')}")
    assert (await owner.request("DELETE", path)).status_code == 204
    assert await seen_by() == ["owner"]


async def test_no_more_than_a_hundred_stories_of_an_account_are_shown(town: Town) -> None:
    now = town.river.now_ms
    for number in range(STORIES_A_DAY_MAX):
        story_id, media_id = (town.river.services.ids.next() for _ in range(2))
        await happen(
            town.river, *story_events(story_id, town.id("owner"), media_id, "everyone", now + 3_600_000 + number)
        )
    body = {"media_id": await media(town, "owner")}
    answer = await town.people["owner"].request("POST", "/v1/stories", json=body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-many-stories")
    town.river.now_ms += 3_600_000
    await town.people["owner"].log_in()
    assert (await town.people["owner"].request("POST", "/v1/stories", json=body)).status_code == 201


async def test_who_saw_a_story_is_told_until_a_day_after_its_end(town: Town) -> None:
    story_id = await create(town)
    await publish(town, story_id)
    for days, told in ((0, True), (1, True), (2, False)):
        town.river.now_ms += days and 86_400_000
        await town.people["owner"].log_in()
        answer = await town.people["owner"].request("GET", f"/v1/stories/{story_id}")
        assert (answer.json()["viewers"] is not None, answer.json()["seen"]) == (told, True), days


async def test_the_picture_of_a_story_is_there_however_often_it_was_told_before(town: Town) -> None:
    media_id = int(await media(town, "owner"))
    for day in range(30):
        town.river.now_ms += day and 86_400_000
        story_id = town.river.services.ids.next()
        ends_ms = town.river.now_ms + 86_400_000
        await happen(town.river, *story_events(story_id, town.id("owner"), media_id, "everyone", ends_ms))
    services = town.river.services
    shown = await see_media(services.rows, town.id("friend"), media_id, services.clock_ms)
    assert shown.media.media_id == media_id
