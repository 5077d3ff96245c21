"""A takedown through the whole gateway: what its author is told, what others get, and what the answer says."""

import httpx
import pytest

from photolog.positions import POSITIONS_MAX
from schemas import events as e
from tests.unit.gateway.river import Person, River, person
from tests.unit.gateway_social.matrix_world import created, happen, story_events

_VARIANT = e.MediaVariant(
    name="w640.jpg", content_type="image/jpeg", width=640, height=480, size_bytes=9, object_key="processed/w640"
)


async def posted(river: River, owner: Person, count: int) -> list[int]:
    """So many published posts of one photograph that has no fingerprints."""
    ids, owner_id = river.services.ids, int(owner.account_id)
    media_id = ids.next()
    media = [e.MediaItem(media_id=media_id, width=640, height=480, variants=[_VARIANT.name])]
    completed = e.MediaTranscodingCompleted(
        media_id=media_id, owner_id=owner_id, width=640, height=480, variants=[_VARIANT]
    )
    await happen(river, completed)
    post_ids = [ids.next() for _ in range(count)]
    for post_id in post_ids:
        published = e.PostPublished(
            post_id=post_id, owner_id=owner_id, published_ms=river.now_ms, delivery="push", media=media
        )
        await happen(river, created(post_id, owner_id, media_id), published)
    return post_ids


async def take_down(
    client: httpx.AsyncClient, river: River, one_id: int, kind: str = "posts", **headers: str
) -> httpx.Response:
    token = river.services.tokens.for_operator("grace", 600)
    path = f"/v1/moderation/{kind}/{one_id}/takedown"
    return await client.post(path, json={"rule": "hate"}, headers={"authorization": f"Bearer {token}", **headers})


async def test_its_author_is_told_that_it_was_taken_down_and_why_and_nobody_else(
    client: httpx.AsyncClient, river: River
) -> None:
    ada, ben = await person(client, "ada"), await person(client, "ben")
    first, second = await posted(river, ada, 2)
    answer = await take_down(client, river, first)
    assert sorted(answer.json()["post_ids"]) == sorted([str(first), str(second)])
    for post_id in (first, second):
        told = await ada.request("GET", f"/v1/posts/{post_id}")
        assert (told.status_code, told.json()["type"]) == (410, "/problems/post-taken-down")
        assert told.json()["detail"] == "this post was taken down: hate"
        assert (await ben.request("GET", f"/v1/posts/{post_id}")).status_code == 404
        assert (await client.get(f"/v1/posts/{post_id}")).status_code == 404


async def test_an_answer_about_many_posts_names_no_more_positions_than_a_request_may(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    (first, *_) = await posted(river, ada, POSITIONS_MAX)
    carried = ",".join(f"saves/{number}@0" for number in range(POSITIONS_MAX))
    answer = await take_down(client, river, first, **{"photolog-position": carried})
    assert len(answer.json()["post_ids"]) == POSITIONS_MAX
    assert len(answer.headers["photolog-position"].split(",")) <= POSITIONS_MAX


@pytest.mark.parametrize("days", [0, 2])
async def test_a_story_that_is_taken_down_is_nowhere_and_its_owner_alone_is_told_why(
    client: httpx.AsyncClient, river: River, days: int
) -> None:
    """Also when its day is over, and it is in the archive and in a highlight."""
    ada, ben = await person(client, "ada"), await person(client, "ben")
    ada_id, ben_id, ids = int(ada.account_id), int(ben.account_id), river.services.ids
    await happen(river, e.FollowCreated(follower_id=ben_id, followee_id=ada_id, wanted_status="active"))
    taken, kept = ids.next(), ids.next()
    ends_ms = river.now_ms + 86_400_000
    for story_id in (taken, kept):
        await happen(river, *story_events(story_id, ada_id, ids.next(), "everyone", ends_ms))
    stories = {"title": "kept", "story_ids": [str(taken), str(kept)]}
    made = await ada.request("POST", "/v1/highlights", json=stories)
    highlight = f"/v1/highlights/{made.json()['highlight_id']}"
    river.now_ms += days * 86_400_000
    for one in (ada, ben):
        await one.log_in()

    async def found(one: Person, path: str) -> set[str]:
        return {item["id"] for item in (await one.request("GET", path)).json()["items"]}

    async def in_tray() -> int:
        return sum(item["stories"] for item in (await ben.request("GET", "/v1/stories/tray")).json()["items"])

    live = {str(taken), str(kept)} if not days else set()
    assert await found(ben, highlight) == await found(ada, "/v1/me/stories/archive") == {str(taken), str(kept)}
    assert await found(ben, f"/v1/accounts/{ada_id}/stories") == live
    assert await in_tray() == len(live)

    answer = await take_down(client, river, taken, "stories")
    assert (answer.status_code, answer.json()["story_ids"]) == (200, [str(taken)])
    assert await found(ben, highlight) == await found(ada, highlight) == {str(kept)}
    assert await found(ada, "/v1/me/stories/archive") == {str(kept)}
    for one in (ada, ben):
        assert await found(one, f"/v1/accounts/{ada_id}/stories") == live - {str(taken)}
    assert await in_tray() == len(live - {str(taken)})
    mine = await ada.request("GET", f"/v1/stories/{taken}")
    assert (mine.status_code, mine.json()["type"]) == (410, "/problems/story-taken-down")
    assert mine.json()["detail"] == "this story was taken down: hate"
    assert (await ben.request("GET", f"/v1/stories/{taken}")).status_code == 404
    assert (await take_down(client, river, 4_242, "stories")).status_code == 404


async def test_a_story_that_its_owner_deleted_is_not_said_to_be_taken_down(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    story_id = river.services.ids.next()
    owner_id = int(ada.account_id)
    await happen(
        river,
        *story_events(story_id, owner_id, 7, "everyone", river.now_ms + 86_400_000),
        e.StoryDeleted(story_id=story_id, owner_id=owner_id),
    )
    assert (await take_down(client, river, story_id, "stories")).status_code == 200
    assert (await ada.request("GET", f"/v1/stories/{story_id}")).status_code == 404
