"""Privacy, removals and blocks on the real engines: what one gateway acknowledged holds at another's next request."""

from collections.abc import AsyncIterator

import pytest

from photolog.settings import Settings
from schemas import events as e
from tests.integration.gateways import Gateway, Person, gateway
from tests.integration.workers import Hand, WorkerProcess, eventually, published
from tests.unit.gateway.surfaces import CLOSED, OPEN, Surfaces

FOLLOWED = OPEN | {"feed"}


@pytest.fixture(scope="module")
async def gateways(migrated: dict[str, str], settings: Settings) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways, which wait longer than a busy machine's workers need."""
    patient = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"position_wait_ms": 20_000})})
    async with gateway(patient) as one, gateway(patient) as other:
        yield one, other


async def do(who: Person, method: str, path: str, body: object = None) -> dict[str, str]:
    """A command, acknowledged; the header that carries its position."""
    answer = await who.request(method, path, json=body)
    assert answer.is_success, answer.text
    return {"photolog-position": answer.headers["photolog-position"]}


async def privacy(who: Person, private: bool) -> None:
    await do(who, "PUT", "/v1/me/privacy", {"private": private})


async def follow(who: Person, whom: Person) -> None:
    """Follow, and see it."""
    path = f"/v1/accounts/{whom.account_id}"
    position = await do(who, "PUT", f"{path}/follow")
    assert (await who.request("GET", path, headers=position)).is_success


async def relationship(who: Person, whom: Person) -> str:
    answer = await who.request("GET", f"/v1/accounts/{whom.account_id}/relationship")
    return str(answer.json()["following"])


@pytest.fixture
async def scene(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess], hand: Hand
) -> tuple[Person, Person, Person, Surfaces]:
    """Ada, who acts at one gateway; Bob and Cem, who look at the other; and where Ada is to be seen."""
    ada, eve = await gateways[0].person(), await gateways[0].person()
    bob, cem = await gateways[1].person(), await gateways[1].person()
    for one in (ada, eve, bob, cem):
        assert (await one.request("GET", "/v1/me", headers={"photolog-position": one.position})).is_success
    await follow(ada, eve)
    await follow(eve, ada)
    posts = [await published(hand, int(one.account_id)) for one in (ada, eve)]
    commented = [await ada.request("POST", f"/v1/posts/{post_id}/comments", json={"text": "mine"}) for post_id in posts]
    photograph = (await ada.request("GET", f"/v1/posts/{posts[0]}")).json()["photographs"][0]
    surfaces = Surfaces(
        account_id=ada.account_id,
        friend_id=eve.account_id,
        post_id=str(posts[0]),
        media_id=photograph["id"],
        variant=next(iter(photograph["variants"])),
        comment_id=commented[0].json()["comment_id"],
        elsewhere=str(posts[1]),
    )
    for one in (bob, cem):
        await until(surfaces, one, OPEN)
    return ada, bob, cem, surfaces


async def until(surfaces: Surfaces, viewer: Person, wanted: set[str]) -> None:
    """Return once a viewer sees so much: for what is not answered by when it holds."""

    async def reached() -> bool:
        return await surfaces.seen_by(viewer) == wanted

    await eventually(reached)


async def test_every_surface_follows_on_the_next_request(scene: tuple[Person, Person, Person, Surfaces]) -> None:
    ada, bob, cem, surfaces = scene
    await follow(bob, ada)
    await until(surfaces, bob, FOLLOWED)

    await privacy(ada, True)
    assert await surfaces.seen_by(cem) == CLOSED
    assert await surfaces.seen_by(bob) == FOLLOWED, "going private keeps followers"

    await do(ada, "DELETE", f"/v1/me/followers/{bob.account_id}")
    assert await surfaces.seen_by(bob) == CLOSED

    await follow(bob, ada)
    await follow(cem, ada)
    assert await surfaces.seen_by(bob) == CLOSED
    await do(ada, "PUT", "/v1/me/requests")
    assert await surfaces.seen_by(bob) == FOLLOWED
    assert await surfaces.seen_by(cem) == FOLLOWED

    await do(cem, "DELETE", f"/v1/accounts/{ada.account_id}/follow")
    assert await surfaces.seen_by(cem) == CLOSED
    await follow(cem, ada)
    assert await relationship(cem, ada) == "pending"
    await privacy(ada, False)
    assert await surfaces.seen_by(cem) == FOLLOWED, "going public approves who asks"

    await do(ada, "PUT", f"/v1/accounts/{bob.account_id}/block")
    assert await surfaces.seen_by(bob) == set()
    await do(ada, "DELETE", f"/v1/accounts/{bob.account_id}/block")
    assert await surfaces.seen_by(bob) == OPEN

    await do(ada, "DELETE", f"/v1/posts/{surfaces.post_id}")
    assert await surfaces.seen_by(cem) == {"profile", "followers", "following", "mutuals", "as author"}


async def test_a_follow_that_was_decided_before_the_account_went_private_waits(
    scene: tuple[Person, Person, Person, Surfaces], hand: Hand
) -> None:
    ada, bob, _, surfaces = scene
    await privacy(ada, True)
    late = e.FollowCreated(
        follower_id=int(bob.account_id), followee_id=int(ada.account_id), wanted_status="active", privacy_version=0
    )
    await hand.applied("graph", await hand.append(late))

    async def waits() -> bool:
        return await relationship(bob, ada) == "pending"

    await eventually(waits)
    assert await surfaces.seen_by(bob) == CLOSED
