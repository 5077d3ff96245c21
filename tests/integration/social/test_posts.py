"""Posts from the upload to the follower, on real engines."""

import io

import httpx
import pytest
from PIL import Image

from photolog.client.views import Place
from photolog.errors import Forbidden, Invalid, NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, jpeg, listed, published, settles


async def grid_of(viewer: Person, owner: Person) -> list[str]:
    return [post.id for post in await listed(viewer.client.posts_of(owner.id))]


async def how_many(viewer: Person, owner: Person) -> int:
    return len(await grid_of(viewer, owner))


async def test_a_post_is_its_authors_at_once_and_everyones_once_published(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    media_id = await ada.client.upload(jpeg(1_200, 900), "image/jpeg")
    place = Place(name="Lisbon", latitude=38.7223, longitude=-9.1393)
    post_id = await ada.client.post([media_id], "A #Día with @ben_1", alt_texts=["steps"], location=place)
    own = await ada.client.get_post(post_id)
    assert (own.caption, own.hashtags, own.mentions) == ("A #Día with @ben_1", ["día"], ["ben_1"])
    assert own.location == place
    shown = await ada.client.wait_published(post_id)
    assert [(one.alt, one.width, one.height) for one in shown.photographs] == [("steps", 1_200, 900)]
    await settles(lambda: grid_of(ben, ada), [post_id])
    assert (await ben.client.get_post(post_id)).published_at == shown.published_at


async def test_every_file_of_a_photograph_can_be_got(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    post_id = await published(ada)
    (photograph,) = (await ben.client.get_post(post_id)).photographs
    assert len(photograph.variants) >= 4
    async with httpx.AsyncClient() as store:
        for name in photograph.variants:
            answer = await store.get(await ben.client.photograph_address(photograph.id, name))
            assert answer.is_success
            opened = Image.open(io.BytesIO(answer.content))
            assert opened.width * 3 == pytest.approx(opened.height * 4, abs=4)


async def test_a_private_accounts_posts_and_photographs_are_closed(join: Joining) -> None:
    ada, eve = await join("ada", private=True), await join("eve")
    post_id = await published(ada)
    (photograph,) = (await ada.client.get_post(post_id)).photographs
    with pytest.raises(NotFound):
        await eve.client.get_post(post_id)
    with pytest.raises(NotFound):
        await eve.client.photograph_address(photograph.id, next(iter(photograph.variants)))
    with pytest.raises(Forbidden):
        await grid_of(eve, ada)


async def test_a_changed_caption_and_a_deletion_are_read_by_their_author_at_once(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    post_id = await published(ada, "before")
    await ada.client.change_caption(post_id, "after #all")
    changed = await ada.client.get_post(post_id)
    assert (changed.caption, changed.hashtags, changed.edited) == ("after #all", ["all"], True)
    with pytest.raises(Forbidden):
        await ben.client.delete_post(post_id)
    await ada.client.delete_post(post_id)
    with pytest.raises(NotFound):
        await ada.client.get_post(post_id)
    assert await grid_of(ada, ada) == []
    await settles(lambda: how_many(ben, ada), 0)


async def test_a_post_with_a_broken_photograph_is_rejected(join: Joining) -> None:
    ada = await join("ada")
    good = await ada.client.upload(jpeg(), "image/jpeg")
    broken = await ada.client.upload(jpeg()[:300], "image/jpeg")
    with pytest.raises(Invalid) as refused:
        await ada.client.wait_published(await ada.client.post([good, broken]))
    # The worker may have looked at the file before the post was made.
    assert refused.value.kind in {"rejected-post", "failed-media"}


async def test_the_grid_pages_through_every_post_once(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    posts = [await published(ada, str(number)) for number in range(5)]
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        answer = await ben.client.transport.send("GET", f"/v1/accounts/{ada.id}/posts", params=params)
        page = answer.json()
        found += [post["id"] for post in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == posts[::-1]
