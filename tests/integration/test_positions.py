"""Read your own writes: a position carried from any gateway to any other covers what it stands for."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator

import pytest

from infra.local.home import REPOSITORY
from photolog.positions import Position
from photolog.settings import Settings
from projections.stores.port import Source
from tests.integration.gateways import Gateway, gateway, operator
from tests.integration.workers import Hand, WorkerProcess, published, without_deployment
from tests.unit.streams.scenario import post, ready


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


async def test_a_feed_shows_who_was_followed_behind_the_follows_position(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess], hand: Hand
) -> None:
    ada, bob = await gateways[0].person(), await gateways[1].person()
    post_id = await published(hand, int(ada.account_id))
    known = {"photolog-position": f"{ada.position},{bob.position}"}
    assert (await bob.request("GET", "/v1/feed", headers=known)).json()["items"] == []
    followed = await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")
    position = {"photolog-position": followed.headers["photolog-position"]}
    page = await bob.at(gateways[0]).request("GET", "/v1/feed", headers=position)
    assert [item["id"] for item in page.json()["items"]] == [str(post_id)]
    assert "photolog-not-covered" not in page.headers


async def test_a_feed_shows_a_post_behind_the_position_of_its_creation(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess], hand: Hand
) -> None:
    """What a client has in hand: where its command landed. The jobs append the publication and the fan-out."""
    ada, bob = await gateways[0].person(), await gateways[1].person()
    followed = await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")
    position = {"photolog-position": f"{ada.position},{followed.headers['photolog-position']}"}
    assert (await bob.request("GET", "/v1/feed", headers=position)).json()["items"] == []
    for _ in range(5):
        post_id, media_id = hand.ids.next(), hand.ids.next()
        await hand.applied("media", await hand.append(ready(media_id, int(ada.account_id))))
        (created,) = await hand.append(post(post_id, int(ada.account_id), media_id))
        page = await bob.request("GET", "/v1/feed", headers={"photolog-position": str(created)})
        assert page.status_code == 200, page.text
        assert page.json()["items"][0]["id"] == str(post_id)


async def test_positions_tell_what_is_applied_and_whether_a_write_is(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess], settings: Settings, migrated: dict[str, str]
) -> None:
    person = await gateways[0].person()
    seen = await person.request("GET", "/v1/me", headers={"photolog-position": person.position})
    assert seen.status_code == 200, seen.text
    answer = await gateways[1].client.get(
        "/v1/positions", headers={**operator(settings), "photolog-position": person.position}
    )
    models = {model["name"]: model for model in answer.json()["models"]}
    assert models["accounts"]["covers"] == "yes"
    place, _, offset = person.position.partition("@")
    (source,) = [one for one in models["accounts"]["sources"] if f"{one['topic']}/{one['partition']}" == place]
    assert source["end_offset"] > int(offset)
    assert source["lag"] == max(0, source["end_offset"] - source["next_offset"])
    told = await _command_line(migrated, "positions", "--json", "--covers", person.position)
    lines = [json.loads(line) for line in told.splitlines()]
    assert {line["covers"] for line in lines if line["model"] == "accounts"} == {"yes"}
    assert {line["model"] for line in lines} == set(models)


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


async def _command_line(environment: dict[str, str], *arguments: str) -> str:
    """What a command prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.app", *arguments,
        cwd=REPOSITORY, env={**without_deployment(), **environment}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


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
