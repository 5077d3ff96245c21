"""What gives or takes sight is answered once it holds: the very next request obeys, by anybody, on every surface."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest

from schemas import events as e
from tests.unit.gateway.river import Person, River, person
from tests.unit.gateway.surfaces import CLOSED, OPEN, Surfaces
from tests.unit.gateway_social.matrix_world import Objects, created, happen

VARIANT = e.MediaVariant(
    name="w640.jpg", content_type="image/jpeg", width=640, height=480, size_bytes=9, object_key="processed/w640"
)


@dataclass
class Scene:
    """Ada, who posted, and Bob, who looks; Eve's post has a comment of Ada's."""

    river: River
    ada: Person
    bob: Person
    eve: Person
    post_id: str = ""
    media_id: str = ""
    comment_id: str = ""
    elsewhere: str = ""

    async def seen(self) -> set[str]:
        """The surfaces on which Bob sees Ada."""
        surfaces = Surfaces(
            account_id=self.ada.account_id,
            friend_id=self.eve.account_id,
            post_id=self.post_id,
            media_id=self.media_id,
            variant=VARIANT.name,
            comment_id=self.comment_id,
            elsewhere=self.elsewhere,
        )
        return await surfaces.seen_by(self.bob)


@pytest.fixture
async def scene(river: River) -> AsyncIterator[Scene]:
    """Everything that can be looked at, once looked at, so that it is in every cache."""
    river.services = replace(river.services, objects=Objects())
    async with river.client() as client:
        made = Scene(river, await person(client, "ada"), await person(client, "bob"), await person(client, "eve"))
        ada, eve = int(made.ada.account_id), int(made.eve.account_id)
        made.post_id, made.media_id, made.comment_id = await _post(river, ada)
        made.elsewhere, _, _ = await _post(river, eve, commented_by=ada)
        for one, other in ((ada, eve), (eve, ada)):
            await happen(river, e.FollowCreated(follower_id=one, followee_id=other, wanted_status="active"))
        assert await made.seen() == OPEN
        yield made


async def _post(river: River, owner_id: int, commented_by: int | None = None) -> tuple[str, str, str]:
    post_id, media_id, comment_id = (river.services.ids.next() for _ in range(3))
    media = [e.MediaItem(media_id=media_id, width=640, height=480, variants=[VARIANT.name])]
    await happen(
        river,
        e.MediaTranscodingCompleted(media_id=media_id, owner_id=owner_id, width=640, height=480, variants=[VARIANT]),
        created(post_id, owner_id, media_id),
        e.PostPublished(post_id=post_id, owner_id=owner_id, published_ms=river.now_ms, delivery="push", media=media),
        e.CommentCreated(comment_id=comment_id, post_id=post_id, author_id=commented_by or owner_id, text="mine"),
    )
    return str(post_id), str(media_id), str(comment_id)


async def _do(who: Person, method: str, path: str, body: object = None) -> None:
    answer = await who.request(method, path, json=body)
    assert answer.status_code in (200, 204), answer.text


async def _privacy(who: Person, private: bool) -> None:
    await _do(who, "PUT", "/v1/me/privacy", {"private": private})


async def _follow(scene: Scene) -> None:
    await _do(scene.bob, "PUT", f"/v1/accounts/{scene.ada.account_id}/follow")


@pytest.fixture(params=["with the cache", "without it"])
def then(request: pytest.FixtureRequest, river: River) -> None:
    """Redis is there, or goes away behind the command."""
    if request.param == "without it":
        flow = river.flow

        async def flow_and_lose() -> None:
            river.cache.away = False
            await flow()
            river.cache.away = True

        river.flow = flow_and_lose  # type: ignore[method-assign]


@pytest.mark.usefixtures("then")
class TestTheNextRequest:
    """Ada or Bob does something, and Bob looks."""

    async def test_going_private_closes_everything_to_strangers(self, scene: Scene) -> None:
        await _privacy(scene.ada, True)
        assert await scene.seen() == CLOSED

    async def test_going_private_keeps_followers(self, scene: Scene) -> None:
        await _follow(scene)
        await _privacy(scene.ada, True)
        assert await scene.seen() == OPEN | {"feed"}

    async def test_going_public_opens_everything(self, scene: Scene) -> None:
        await _privacy(scene.ada, True)
        await _privacy(scene.ada, False)
        assert await scene.seen() == OPEN

    async def test_a_removed_follower_is_a_stranger(self, scene: Scene) -> None:
        await _follow(scene)
        await _privacy(scene.ada, True)
        assert "feed" in await scene.seen()
        await _do(scene.ada, "DELETE", f"/v1/me/followers/{scene.bob.account_id}")
        assert await scene.seen() == CLOSED
        profile = (await scene.bob.request("GET", f"/v1/accounts/{scene.ada.account_id}")).json()
        assert (profile["counts"]["followers"], profile["relationship"]["following"]) == (1, "none")

    async def test_who_unfollows_is_a_stranger(self, scene: Scene) -> None:
        await _follow(scene)
        await _privacy(scene.ada, True)
        await _do(scene.bob, "DELETE", f"/v1/accounts/{scene.ada.account_id}/follow")
        assert await scene.seen() == CLOSED

    @pytest.mark.parametrize("by_ada", [True, False])
    async def test_a_block_leaves_nothing(self, scene: Scene, by_ada: bool) -> None:
        await _follow(scene)
        blocker, blocked = (scene.ada, scene.bob) if by_ada else (scene.bob, scene.ada)
        await _do(blocker, "PUT", f"/v1/accounts/{blocked.account_id}/block")
        assert await scene.seen() == set()
        await _do(blocker, "DELETE", f"/v1/accounts/{blocked.account_id}/block")
        assert await scene.seen() == OPEN

    async def test_an_approved_request_opens_everything(self, scene: Scene) -> None:
        await _privacy(scene.ada, True)
        await _follow(scene)
        assert await scene.seen() == CLOSED
        await _do(scene.ada, "PUT", f"/v1/me/requests/{scene.bob.account_id}")
        assert await scene.seen() == OPEN | {"feed"}

    async def test_a_deleted_post_is_nowhere(self, scene: Scene) -> None:
        await _follow(scene)
        await _do(scene.ada, "DELETE", f"/v1/posts/{scene.post_id}")
        assert await scene.seen() == OPEN - {"grid", "post", "photograph", "comments", "like"}

    async def test_a_deleted_comment_is_nowhere(self, scene: Scene) -> None:
        await _do(scene.ada, "DELETE", f"/v1/posts/{scene.post_id}/comments/{scene.comment_id}")
        assert await scene.seen() == OPEN - {"comments"}


ACTS = {
    "go private": ("PUT", "/v1/me/privacy", {"private": True}),
    "go public": ("PUT", "/v1/me/privacy", {"private": False}),
    "block": ("PUT", "/v1/accounts/{eve}/block", None),
    "unblock": ("DELETE", "/v1/accounts/{eve}/block", None),
    "unfollow": ("DELETE", "/v1/accounts/{eve}/follow", None),
    "remove a follower": ("DELETE", "/v1/me/followers/{eve}", None),
    "approve": ("PUT", "/v1/me/requests/{bob}", None),
    "deny": ("DELETE", "/v1/me/requests/{bob}", None),
    "approve all": ("PUT", "/v1/me/requests", None),
    "delete a post": ("DELETE", "/v1/posts/{post}", None),
    "delete a comment": ("DELETE", "/v1/posts/{post}/comments/{comment}", None),
}


@pytest.mark.parametrize("act", ACTS)
async def test_what_the_read_models_have_not_got_is_not_acknowledged(scene: Scene, act: str) -> None:
    river, method = scene.river, ACTS[act][0]
    bob, ada = int(scene.bob.account_id), int(scene.ada.account_id)
    await happen(river, e.FollowCreated(follower_id=bob, followee_id=ada, wanted_status="pending"))
    names = {
        "eve": scene.eve.account_id,
        "bob": scene.bob.account_id,
        "post": scene.post_id,
        "comment": scene.comment_id,
    }
    river.flowing = False
    answer = await scene.ada.request(method, ACTS[act][1].format(**names), json=ACTS[act][2])
    assert answer.status_code == 503, answer.text
    assert answer.json()["type"] == "/problems/position-timeout"


async def test_a_follow_that_is_tried_again_after_a_block_is_answered_and_changes_nothing(
    client: httpx.AsyncClient, river: River
) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    path, key = f"/v1/accounts/{ada.account_id}/follow", {"idempotency-key": "follow-ada"}
    assert (await bob.request("PUT", path, headers=key)).status_code == 200
    await _do(ada, "PUT", f"/v1/accounts/{bob.account_id}/block")
    assert (await bob.request("PUT", path, headers=key)).status_code == 200
    await _do(ada, "DELETE", f"/v1/accounts/{bob.account_id}/block")
    assert (await bob.request("GET", f"/v1/accounts/{ada.account_id}/relationship")).json()["following"] == "none"


async def test_a_follow_that_never_reached_the_log_is_decided_anew_when_it_is_tried_again(
    client: httpx.AsyncClient, river: River
) -> None:
    """Its key is good for a day, and the account went private meanwhile."""
    ada, bob = await person(client, "ada"), await person(client, "bob")
    path, key = f"/v1/accounts/{ada.account_id}/follow", {"idempotency-key": "follow-ada"}
    river.log_away = True
    assert (await bob.request("PUT", path, headers=key)).status_code == 503
    river.log_away = False
    await _privacy(ada, True)
    assert (await bob.request("PUT", path, headers=key)).json()["following"] == "pending"
    event_id = river.recorded(len(river.records) - 1).event_id
    again = await bob.request("PUT", path, headers=key)
    assert again.json()["following"] == "pending"
    assert river.recorded(len(river.records) - 1).event_id == event_id, "it is the same logical event"
    seen = (await bob.request("GET", f"/v1/accounts/{ada.account_id}")).json()
    assert seen["relationship"]["following"] == "pending"
