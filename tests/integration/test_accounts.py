"""Accounts and sessions on the real engines, at two gateways that share nothing else."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from photolog.settings import Settings
from tests.integration.gateways import PASSWORD, Gateway, gateway, operator
from tests.integration.workers import WorkerProcess


@pytest.fixture(scope="module")
async def gateways(migrated: dict[str, str], settings: Settings) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways."""
    async with gateway(settings) as one, gateway(settings) as other:
        yield one, other


async def test_of_many_at_once_one_gets_a_name(gateways: tuple[Gateway, Gateway]) -> None:
    body = {"username": f"wanted_{secrets.token_hex(4)}"}
    requests = [
        gateways[number % 2].client.post("/v1/accounts", json=body | {"password": f"password {number}"}, timeout=60)
        for number in range(10)
    ]
    answers = await asyncio.gather(*requests)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_a_name_whose_sign_up_died_is_finished_at_another_gateway(gateways: tuple[Gateway, Gateway]) -> None:
    body = {"username": f"broken_{secrets.token_hex(4)}", "password": PASSWORD}
    gateways[0].log.crashes = 1
    assert (await gateways[0].client.post("/v1/accounts", json=body)).status_code == 503
    stranger = await gateways[1].client.post("/v1/accounts", json=body | {"password": "some other password"})
    assert stranger.status_code == 409
    assert (await gateways[1].client.post("/v1/accounts", json=body)).status_code == 201
    log_in = {"username": body["username"], "password": PASSWORD}
    assert (await gateways[0].client.post("/v1/sessions", json=log_in)).status_code == 201


async def test_a_log_out_holds_at_every_gateway_at_once(gateways: tuple[Gateway, Gateway]) -> None:
    person = await gateways[0].person()
    elsewhere = person.at(gateways[1])
    assert (await elsewhere.request("GET", "/v1/sessions")).status_code == 200
    assert (await person.request("DELETE", "/v1/sessions/current")).status_code == 204
    assert (await elsewhere.request("GET", "/v1/sessions")).status_code == 401


async def test_of_concurrent_refreshes_at_most_one_gets_tokens_and_the_family_ends(
    gateways: tuple[Gateway, Gateway],
) -> None:
    person = await gateways[0].person()
    body = {"refresh_token": person.refresh_token}
    requests = [gateways[number % 2].client.post("/v1/sessions/refresh", json=body) for number in range(6)]
    answers = await asyncio.gather(*requests)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    newest = next(answer for answer in answers if answer.status_code == 200).json()
    again = await gateways[1].client.post("/v1/sessions/refresh", json={"refresh_token": newest["refresh_token"]})
    assert again.status_code == 401
    assert (await person.at(gateways[1]).request("GET", "/v1/sessions")).status_code == 401


async def test_a_refresh_is_retried_under_its_key_at_another_gateway(gateways: tuple[Gateway, Gateway]) -> None:
    person = await gateways[0].person()
    body, key = {"refresh_token": person.refresh_token}, {"idempotency-key": secrets.token_hex(8)}
    first = await gateways[0].client.post("/v1/sessions/refresh", json=body, headers=key)
    again = await gateways[1].client.post("/v1/sessions/refresh", json=body, headers=key)
    assert first.status_code == again.status_code == 200
    assert first.json()["refresh_token"] == again.json()["refresh_token"]


async def test_a_new_password_ends_other_sessions_and_nothing_else(gateways: tuple[Gateway, Gateway]) -> None:
    person = await gateways[0].person()
    second = person.at(gateways[1])
    await second.log_in()
    change = {"current_password": PASSWORD, "new_password": "a new password of some length"}
    assert (await second.request("PUT", "/v1/me/password", json=change)).status_code == 204
    assert (await second.request("GET", "/v1/sessions")).status_code == 200
    assert (await person.request("GET", "/v1/sessions")).status_code == 401


async def test_a_suspension_holds_on_the_next_request_at_every_gateway(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess], settings: Settings
) -> None:
    person = await gateways[0].person()
    elsewhere = person.at(gateways[1])
    known = await elsewhere.request("GET", "/v1/me", headers={"photolog-position": person.position})
    assert known.status_code == 200, known.text
    path = f"/v1/operator/accounts/{person.account_id}/suspension"
    suspended = await gateways[0].client.put(path, json={"reason": "spam"}, headers=operator(settings))
    assert suspended.status_code == 200, suspended.text
    refused = await elsewhere.request("GET", "/v1/sessions")
    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/account-suspended"
    reinstated = await gateways[1].client.delete(path, headers=operator(settings))
    assert reinstated.status_code == 200, reinstated.text
    assert (await person.request("GET", "/v1/sessions")).status_code == 200


async def test_a_new_account_is_readable_behind_its_position(
    gateways: tuple[Gateway, Gateway], workers: list[WorkerProcess]
) -> None:
    person = await gateways[0].person(display_name="Ada", private=True)
    read = await gateways[1].client.get(
        f"/v1/accounts/{person.account_id}", headers={"photolog-position": person.position}
    )
    assert read.status_code == 200, read.text
    assert (read.json()["username"], read.json()["display_name"]) == (person.username, "Ada")
    by_name = await gateways[1].client.get(f"/v1/accounts/by-username/{person.username.upper()}")
    assert by_name.json()["id"] == person.account_id


async def test_every_engine_answers(gateways: tuple[Gateway, Gateway]) -> None:
    ready = await gateways[0].client.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["engines"].values()) == {"ready"}
