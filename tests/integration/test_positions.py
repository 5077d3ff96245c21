"""Read your own writes: a position carried from any gateway to any other covers what it stands for."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from photolog.positions import Position
from photolog.settings import Settings
from projections.stores.port import Source
from tests.integration.gateways import Gateway, gateway
from tests.integration.workers import Hand, WorkerProcess, published


@pytest.fixture(scope="module")
async def gateways(migrated: dict[str, str], settings: Settings) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways, which wait longer than a busy machine's workers need."""
    patient = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"position_wait_ms": 20_000})})
    async with gateway(patient) as one, gateway(patient) as other:
        yield one, other


async def test_every_write_is_seen_behind_its_position(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess]
) -> None:
    person = await gateways[0].person()
    position = person.position
    for number in range(10):
        written = await person.at(gateways[number % 2]).request(
            "PATCH", "/v1/me", json={"bio": f"bio {number}"}, headers={"photolog-position": position}
        )
        assert written.status_code == 200, written.text
        position = written.headers["photolog-position"]
        read = await person.at(gateways[(number + 1) % 2]).request(
            "GET", "/v1/me", headers={"photolog-position": position}
        )
        assert read.json()["bio"] == f"bio {number}"
        assert _covers(read.headers["photolog-position"], position)


async def test_a_follow_is_seen_behind_its_position(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess]
) -> None:
    ada, bob = await gateways[0].person(), await gateways[1].person()
    positions = {"photolog-position": f"{ada.position},{bob.position}"}
    await bob.request("GET", f"/v1/accounts/{ada.account_id}", headers=positions)
    followed = await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")
    assert followed.status_code == 200, followed.text
    position = {"photolog-position": followed.headers["photolog-position"]}
    seen = (await bob.at(gateways[0]).request("GET", f"/v1/accounts/{ada.account_id}", headers=position)).json()
    assert seen["relationship"]["following"] == "active"
    assert seen["counts"]["followers"] == 1


async def test_a_feed_is_waited_for_through_the_fan_out(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess], hand: Hand
) -> None:
    ada, bob = await gateways[0].person(), await gateways[1].person()
    positions = {"photolog-position": f"{ada.position},{bob.position}"}
    await bob.request("GET", f"/v1/accounts/{ada.account_id}", headers=positions)
    followed = await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")
    position = {"photolog-position": followed.headers["photolog-position"]}
    assert (await bob.request("GET", "/v1/feed", headers=position)).json()["items"] == []
    for _ in range(5):
        post_id = await published(hand, int(ada.account_id))
        publication = await _publication(hand)
        page = await bob.request("GET", "/v1/feed", headers={"photolog-position": publication})
        assert page.status_code == 200, page.text
        assert page.json()["items"][0]["id"] == str(post_id)


async def test_a_model_that_does_not_come_there_is_a_503_within_the_bound(
    migrated: dict[str, str], settings: Settings
) -> None:
    hasty = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"position_wait_ms": 300})})
    async with gateway(hasty) as one:
        person = await one.person()
        started = time.monotonic()
        answer = await person.request("GET", "/v1/me", headers={"photolog-position": f"accounts/0@{10**12}"})
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/position-timeout"
        assert answer.headers["retry-after"]
        assert time.monotonic() - started < 5


async def test_a_model_that_a_position_leads_to_by_no_short_path_is_named(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess]
) -> None:
    person = await gateways[0].person()
    asked = {"photolog-position": "media.transcoding.requested/0@5"}
    answer = await person.request("GET", "/v1/feed", headers=asked)
    assert answer.headers["photolog-not-covered"] == "feed,posts"


@pytest.mark.parametrize("position", ["accounts", "accounts/0", "accounts/x@1", "secrets/0@1", "a/0@1," * 17])
async def test_a_malformed_position_is_a_400(gateways: tuple[Gateway, Gateway], position: str) -> None:
    person = await gateways[0].person()
    answer = await person.request("GET", "/v1/me", headers={"photolog-position": position})
    assert answer.status_code == 400
    assert answer.json()["field"] == "Photolog-Position"


async def test_many_waiting_readers_share_the_polling(gateways: tuple[Gateway, Gateway]) -> None:
    person = await gateways[0].person()
    headers = {"photolog-position": person.position}
    answers = await asyncio.gather(*(person.request("GET", "/v1/me", headers=headers) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}


def _covers(header: str, position: str) -> bool:
    place, _, offset = position.partition("@")
    found = {part.partition("@")[0]: int(part.partition("@")[2]) for part in header.split(",")}
    return found[place] >= int(offset)


async def _publication(hand: Hand) -> str:
    """Where the jobs appended the publications so far."""
    found: dict[int, int] = {}
    for projection in ("posts", "media"):
        for source, stored in (await hand.positions(projection)).items():
            assert isinstance(source, Source)
            for (topic, partition), next_offset in stored.outputs.items():
                if topic == "posts":
                    found[partition] = max(next_offset - 1, found.get(partition, 0))
    return ",".join(str(Position("posts", partition, offset)) for partition, offset in found.items())
