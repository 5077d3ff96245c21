"""A takedown through the whole gateway: what its author is told, what others get, and what the answer says."""

import httpx

from photolog.positions import POSITIONS_MAX
from schemas import events as e
from tests.unit.gateway.river import Person, River, person
from tests.unit.gateway_social.matrix_world import created, happen

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


async def take_down(client: httpx.AsyncClient, river: River, post_id: int, **headers: str) -> httpx.Response:
    token = river.services.tokens.for_operator("grace", 600)
    path = f"/v1/moderation/posts/{post_id}/takedown"
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
