import asyncio

import httpx
import pytest

from schemas.events import ProfileChanged
from tests.unit.gateway.river import PASSWORD, Person, River, person

KEY = {"idempotency-key": "5e2ff1e6-a-key"}


async def test_a_retry_appends_the_same_bytes_and_is_answered_alike(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    body = {"display_name": "Ada", "bio": "first"}
    first = await ada.request("PATCH", "/v1/me", json=body, headers=KEY)
    again = await ada.request("PATCH", "/v1/me", json=body, headers=KEY)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert river.records[-1] == river.records[-2]
    assert first.headers["photolog-position"] != again.headers["photolog-position"]


async def test_the_repeat_changes_nothing(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await ada.request("PATCH", "/v1/me", json={"bio": "first"}, headers=KEY)
    await ada.request("PATCH", "/v1/me", json={"bio": "second"})
    await ada.request("PATCH", "/v1/me", json={"bio": "first"}, headers=KEY)
    assert (await ada.request("GET", "/v1/me")).json()["bio"] == "second"


async def test_a_retry_after_a_crash_before_the_append_appends(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    records = len(river.records)
    river.log_away = True
    answer = await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY)
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/log-unavailable"
    river.log_away = False
    answer = await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY)
    assert answer.status_code == 200
    assert len(river.records) == records + 1


async def test_a_retried_sign_up_is_the_same_account(client: httpx.AsyncClient, river: River) -> None:
    body = {"username": "ada", "password": PASSWORD}
    river.log_away = True
    await client.post("/v1/accounts", json=body, headers=KEY)
    river.log_away = False
    answers = [await client.post("/v1/accounts", json=body, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert river.recorded(0).event_id == river.recorded(1).event_id


async def test_the_same_key_for_another_request_is_refused(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await ada.request("PATCH", "/v1/me", json={"bio": "first"}, headers=KEY)
    records = len(river.records)
    for method, path, body in (("PATCH", "/v1/me", {"bio": "second"}), ("PUT", "/v1/me/privacy", {"private": True})):
        answer = await ada.request(method, path, json=body, headers=KEY)
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/idempotency-key-reused"
        assert answer.json()["field"] == "Idempotency-Key"
    assert len(river.records) == records


async def test_a_key_is_its_accounts_own(client: httpx.AsyncClient) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    one = await ada.request("PUT", "/v1/me/privacy", json={"private": True}, headers=KEY)
    other = await bob.request("PUT", "/v1/me/privacy", json={"private": False}, headers=KEY)
    assert (one.json()["private"], other.json()["private"]) == (True, False)


async def test_of_concurrent_requests_all_append_the_winners_event(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    records = len(river.records)
    requests = (ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY) for _ in range(6))
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {200}
    assert len({river.recorded(offset).event_id for offset in range(records, len(river.records))}) == 1


async def test_a_refused_command_reserves_nothing(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    refused = await ada.request("PATCH", "/v1/me", json={"bio": "\x00"}, headers=KEY)
    assert refused.status_code == 422
    assert (await ada.request("PATCH", "/v1/me", json={"bio": "fine"}, headers=KEY)).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 129, "white space", "tab\there"])
async def test_a_malformed_key_is_refused(client: httpx.AsyncClient, river: River, key: str) -> None:
    ada = await person(client, "ada")
    records = len(river.records)
    answer = await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers={"idempotency-key": key})
    assert answer.status_code == 400
    assert len(river.records) == records


async def test_an_answer_kept_for_retries_holds_nothing_personal(client: httpx.AsyncClient, river: River) -> None:
    await client.post(
        "/v1/accounts", json={"username": "ada", "password": PASSWORD, "display_name": "Countess"}, headers=KEY
    )
    row = await river.vault.reservations.get("anonymous", KEY["idempotency-key"])
    assert row is not None
    kept = row.answer + row.body_hash + b"".join(record.value + record.key for record in row.records)
    assert b"Countess" not in kept
    assert b"ada" not in kept
    assert PASSWORD.encode() not in kept


async def test_without_a_key_each_request_is_its_own(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    for _ in range(2):
        await ada.request("PATCH", "/v1/me", json={"bio": "x"})
    assert isinstance(river.recorded(-1 % len(river.records)).event, ProfileChanged)
    assert river.recorded(len(river.records) - 1).event_id != river.recorded(len(river.records) - 2).event_id


async def test_a_suspended_account_cannot_retry(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY)
    operator = {"authorization": f"Bearer {river.services.tokens.for_operator('grace', 600)}"}
    await client.put(f"/v1/operator/accounts/{ada.account_id}/suspension", json={"reason": "spam"}, headers=operator)
    assert (await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY)).status_code == 403
    assert isinstance(ada, Person)
